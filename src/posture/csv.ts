/** Tables for spreadsheets (RFC 4180). Text from the wire must not become a formula, a second cell or a second line. */
import { withoutInvisible } from '../../protocols/invisible.ts'

/** What a spreadsheet takes for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r]/

/** One cell, quoted; what is not seen becomes `?`. */
export function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const safe = withoutInvisible(value)
  return `"${(FORMULA.test(value) || FORMULA.test(safe) ? `'${safe}` : safe).replaceAll('"', '""')}"`
}

/** @returns all lines, each with its end */
export function csv(columns: readonly string[], rows: Iterable<readonly (string | number | null)[]>): string {
  let text = `${columns.join(',')}\r\n`
  for (const row of rows) text += `${row.map(cell).join(',')}\r\n`
  return text
}
