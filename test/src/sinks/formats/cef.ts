/** A reader of CEF, written from the format's description, so that what is written can be read back. */
export function parseCef(line: string): { head: string[]; fields: Map<string, string> } {
  const head: string[] = []
  let field = ''
  let at = 0
  for (; head.length < 7; at++) {
    const c = line[at]
    if (c === undefined) throw new Error(`a head of ${head.length} fields: ${line}`)
    if (c === '\\') field += line[++at]
    else if (c === '|') {
      head.push(field)
      field = ''
    } else field += c
  }
  const fields = new Map<string, string>()
  // A key follows a space and ends at an equals sign without a backslash before it.
  const parts = line.slice(at).split(/(?:^| )([A-Za-z0-9]+)(?<!\\)=/).slice(1)
  for (let i = 0; i < parts.length; i += 2) {
    fields.set(parts[i]!, parts[i + 1]!.replace(/\\(.)/g, (_, c: string) => c === 'n' ? '\n' : c === 'r' ? '\r' : c))
  }
  return { head, fields }
}
