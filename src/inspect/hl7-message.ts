/** A whole HL7 message, field by field, as people read it: `PID-3.1  P100`. */
import type { SegmentView } from '../../protocols/hl7/full-view.ts'
import { MessageView } from '../../protocols/hl7/full-view.ts'
import type { WholeMessage } from '../../protocols/hl7/whole.ts'
import { CLIENT } from '../../protocols/protocol.ts'
import { rfc3339 } from '../../protocols/time.ts'
import { amount, ends, shown, table } from './text.ts'

/** Characters of a value that are shown; documents are long. */
const LONGEST = 200

export function messageText({ flow, direction, at, bytes }: WholeMessage): string[] {
  const view = new MessageView(bytes)
  return [
    `HL7  ${ends(flow)}  ${rfc3339(at).slice(0, 19)}Z  from the ${direction === CLIENT ? 'client' : 'server'}, ${amount(bytes.length, 'byte')}`,
    ...view.segments.flatMap((segment) => [`  ${shown(segment.name)}`, ...table(valuesOf(segment), '    ')]),
  ]
}

/** Every value that is there, with its place in the standard's numbers. */
function valuesOf(segment: SegmentView): string[][] {
  const rows: string[][] = []
  for (let field = 1; field < segment.fields.length; field++) {
    const repetitions = segment.repetitions(field)
    repetitions.forEach((components, r) => components.forEach((raw, c) => {
      if (raw === '') return
      const parts = segment.subcomponents({ field, repetition: r + 1, component: c + 1 })
      parts.forEach((value, s) => {
        if (value === '') return
        const place = `${segment.name}-${field}${repetitions.length > 1 ? `(${r + 1})` : ''}${components.length > 1 ? `.${c + 1}` : ''}${parts.length > 1 ? `.${s + 1}` : ''}`
        rows.push([shown(place), value.length > LONGEST ? `${shown(value.slice(0, LONGEST))}... (${amount(value.length, 'character')})` : shown(value)])
      })
    }))
  }
  return rows
}
