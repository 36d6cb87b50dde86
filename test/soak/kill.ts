/**
 * R13: `npx tsx test/soak/kill.ts [KILLS]` (default 500). `wardwire watch` is fed a day with 40 alerts, killed (SIGKILL) six times at random moments and left
 * to finish, over and over. Every alert that it told of must have been delivered, and none may rest on what was not there. `test/kafka/soak.ts` asks the same
 * of delivery to Kafka. Exit code 1 when something is missing or invented.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conversationsIn, killed } from '../src/kills.ts'
import { wardwire } from '../src/program.ts'
import { manyTroubles } from '../src/small-hospital.ts'

const kills = Number(process.argv[2] ?? 500)
const A_ROUND = 6
const folder = mkdtempSync(join(tmpdir(), 'wardwire-kills-'))
const capture = manyTroubles()
const alone = await wardwire(['replay', '-', '--events', join(folder, 'events')], { input: capture, env: { XDG_STATE_HOME: folder } })
if (alone.code !== 0) throw new Error(alone.stderr)
const conversations = conversationsIn(readFileSync(join(folder, 'events'), 'utf8'))

const sum = { kills: 0, delivered: 0, repeats: 0, missing: 0, invented: 0 }
for (let round = 0; sum.kills < kills; round++) {
  const place = join(folder, String(round))
  mkdirSync(place)
  const wanted = Math.min(A_ROUND, kills - sum.kills)
  const { missing, invented, delivered, repeats } = await killed(place, capture, conversations, wanted)
  sum.kills += wanted
  sum.delivered += delivered
  sum.repeats += repeats
  sum.missing += missing.length
  sum.invented += invented.length
  rmSync(place, { recursive: true })
  process.stdout.write(`round ${round}: ${JSON.stringify(sum)}\n`)
}
rmSync(folder, { recursive: true, force: true })
process.exitCode = sum.missing + sum.invented > 0 ? 1 : 0
