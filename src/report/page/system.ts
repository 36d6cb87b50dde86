/** The system of a device, in a cell. */
import type { InventoryRow } from '../data.ts'
import { h, shown } from './dom.ts'

/** What it runs, and until when that is mended. */
export function systemText({ system }: Pick<InventoryRow, 'system'>): (HTMLElement | string)[] {
  // Kept by an earlier run, it may not be told.
  if ((system ?? null) === null) return ['–']
  const { name, eol, past_end_of_life, confidence } = system!
  return [`${shown(name)}${eol === null ? '' : `, mended until ${eol.slice(0, 10)}`}`, past_end_of_life ? h('strong', {}, ' ▲ past its end') : '', ` (${confidence})`]
}
