/** Tables for spreadsheets (RFC 4180). Text from the wire must not become a formula, a second cell or a second line. */

/** What a spreadsheet takes for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r]/

/** One cell, quoted; control characters become `?`. */
export function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const safe = value.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '?')
  return `"${(FORMULA.test(value) || FORMULA.test(safe) ? `'${safe}` : safe).replaceAll('"', '""')}"`
}

/** @returns all lines, each with its end */
export function csv(columns: readonly string[], rows: Iterable<readonly (string | number | null)[]>): string {
  let text = `${columns.join(',')}\r\n`
  for (const row of rows) text += `${row.map(cell).join(',')}\r\n`
  return text
}
