/** `wardwire inventory` and `wardwire segments`: what a state folder knows of the devices and networks of the site. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Engine } from '../../models/engine.ts'
import type { DeviceView } from '../../models/outlook.ts'
import { Posture } from '../../models/posture/posture.ts'
import { loadConfig } from '../config.ts'
import { UserError } from '../errors.ts'
import { inventoryCsv, inventoryCycloneDx, inventoryJson, inventoryText, json } from '../posture/inventory-forms.ts'
import { rulesCsv, rulesNftables, segmentsText } from '../posture/segment-forms.ts'
import { inventory } from '../posture/write.ts'
import { State } from '../store/state.ts'

export interface InventoryOptions {
  state: string
  json?: boolean
  csv?: boolean
  cyclonedx?: boolean
}

export interface SegmentsOptions {
  state: string
  json?: boolean
  csv?: boolean
  nftables?: boolean
  config?: string
}

/** @throws {UserError} */
export async function inventoryCommand(options: InventoryOptions): Promise<number> {
  const { posture, views } = await known(options.state)
  const items = inventory(posture, views)
  process.stdout.write(options.json === true ? inventoryJson(items) : options.csv === true ? inventoryCsv(items)
    : options.cyclonedx === true ? inventoryCycloneDx(items) : inventoryText(items, process.stdout.columns))
  return 0
}

/** @throws {UserError} */
export async function segmentsCommand(options: SegmentsOptions): Promise<number> {
  const { posture, views } = await known(options.state)
  const audit = posture.segments(views, loadConfig(options.config).segments)
  process.stdout.write(options.json === true ? json({ schema: 'wardwire.segments/1', ...audit }) : options.csv === true ? rulesCsv(audit)
    : options.nftables === true ? rulesNftables(audit) : segmentsText(audit))
  return 0
}

async function known(folder: string): Promise<{ posture: Posture; views: DeviceView[] }> {
  if (!existsSync(join(folder, 'wardwire.mdb'))) throw new UserError(`${folder} holds no state: make one with \`wardwire replay FILE --state ${folder}\``, 2)
  const state = new State(folder)
  try {
    const entries = new Map(state.model())
    const engine = new Engine({ onAlert: () => {} })
    engine.load(entries)
    const posture = new Posture()
    posture.load(entries)
    return { posture, views: [...engine.view()] }
  } finally {
    await state.close()
  }
}
