/**
 * `npx tsx test/soak/mutator.ts [--protocol dicom] [--bytes 1e8] [--slice 4e6] [--first 0]`: spoiled conversations in slices, each with a seed of its own that is
 * printed when it fails. The first slice is what `npm test` feeds. Exit code 1 at the first fault.
 */
import { parseArgs } from 'node:util'
import type { Protocol } from '../../protocols/protocol.ts'
import { spoil } from '../protocols/contract/mutator.ts'
import { checkBooks } from '../protocols/contract/wire.ts'

const { values } = parseArgs({
  options: { protocol: { type: 'string', default: 'dicom' }, bytes: { type: 'string', default: '1e8' }, slice: { type: 'string', default: '4e6' }, first: { type: 'string', default: '0' } },
})
const name = values.protocol as Protocol['name']
let bytes = 0
let rounds = 0
let events = 0
for (let slice = Number(values.first); bytes < Number(values.bytes); slice++) {
  const seed = slice === 0 ? `fuzz ${name}` : `fuzz ${name} ${slice}`
  const done = spoil(name, Number(values.slice), seed)
  const { fault } = done.decoder.application
  if (fault !== null) {
    console.error(`${seed}:`, fault)
    process.exit(1)
  }
  if (done.decoder.kept !== 0) throw new Error(`${seed}: ${done.decoder.kept} bytes kept at the end`)
  checkBooks(done.decoder)
  bytes += done.bytes
  rounds += done.rounds
  events += done.emitted
}
const { user, system } = process.cpuUsage()
console.log(`${name}: ${bytes.toLocaleString('en')} spoiled bytes in ${rounds.toLocaleString('en')} conversations, ${events.toLocaleString('en')} events, no fault, ${((user + system) / 1e6).toFixed(0)} s of processor time`)
