/**
 * Fields of codes (tables of HL7) are told as they were sent, because what is not in a table is worth seeing too. Where somebody put text into one, it may
 * name a patient: what is no single word of ASCII is told as `?`.
 */
const WORD = /^[!-~]{1,48}$/
/** MSH-7: digits, point, zone; some write separators. */
const TIME = /^[\d.:TZ +-]{1,40}$/
/** Table 0211, and what else names one: some of these are two words. */
const CHARSET = /^(ascii|us-ascii|8859|iso|gb|ks|cns|big|jis|unicode|utf|windows|cp|latin)[!-~ ]{0,60}$/i

const told = (form: RegExp, text: string): string => (form.test(text) ? text : '?')
export const wordOf = <T extends string | null | undefined>(text: T): T | string => (text === null || text === undefined || text === '' ? text : told(WORD, text))
export const timeText = (text: string | null): string | null => (text === null ? null : told(TIME, text))
export const charsetText = (text: string | null): string | null => (text === null ? null : told(CHARSET, text))
