/**
 * `npx tsx test/soak/hostile.ts [--times 10] [--attack WORD] [--seed 0]`: the hostile traffic of `npm test`, so many times as much of each, with other seeds. Memory must
 * not grow with it, no dissector fail, and what honest conversations say must be told to the last message. Exit code 1 when it is not so.
 */
import { parseArgs } from 'node:util'
import { Random } from '../../fixtures/build/random.ts'
import { checkBooks } from '../protocols/contract/wire.ts'
import { ATTACKS, suffer } from '../protocols/hostile.ts'

const { values } = parseArgs({ options: { times: { type: 'string', default: '10' }, attack: { type: 'string', default: '' }, seed: { type: 'string', default: '0' } } })
for (const attack of ATTACKS.filter(({ name }) => name.includes(values.attack))) {
  const { decoder, honest, expected, events, grown, allowed } = suffer(attack, attack.steps * Number(values.times), new Random(`${attack.name} ${values.seed}`))
  const missing = expected.filter((line) => !honest.includes(line))
  checkBooks(decoder)
  const isGood = missing.length === 0 && decoder.application.fault === null && grown < allowed
  console.log(`${isGood ? 'good' : 'BAD '}  ${attack.name}: ${decoder.frames.toLocaleString('en')} frames, ${events.toLocaleString('en')} events, ${grown.toFixed(0)} of ${allowed.toFixed(0)} MiB, ${missing.length} of ${expected.length} missing`)
  if (!isGood) process.exitCode = 1
}
