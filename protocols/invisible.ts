/**
 * Characters that are no text to look at but change what is seen or done around them: control characters (C0, C1, DEL), format characters (direction
 * of writing, zero width, joiners, soft hyphens, tags), separators of lines and paragraphs, halves of surrogate pairs, and everything else that is
 * drawn as nothing. Text from the wire that goes to people, terminals, tables or markup loses them, everywhere the same.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu
const INVISIBLE_IN_LINES = /(?![\n\r])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu
/** Nearly all text; costs less. */
const PLAIN = /^[ -~]*$/

/** Each invisible character becomes `by`. @param lines line ends stay: whoever writes the text escapes them */
export function withoutInvisible(text: string, by = '?', lines = false): string {
  return PLAIN.test(text) ? text : text.replace(lines ? INVISIBLE_IN_LINES : INVISIBLE, by)
}
