/**
 * kill -9 over and over against a real Kafka, for as long as you like: `npx tsx test/kafka/soak.ts [KILLS]` (default 500). Every accepted alert must
 * arrive, none may be invented, and each device's must be in order. Now and then the broker is killed too.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Broker } from './broker.ts'
import { everythingIn } from './topic.ts'

const kills = Number(process.argv[2] ?? 500)
const folder = mkdtempSync(join(tmpdir(), 'wardwire-soak-'))
const broker = await Broker.start()
const accepted = new Set<string>()
const possible = new Set<string>()
let next = 0

/** One life of a producer. @param count it ends by itself after so many */
async function run(count?: number): Promise<void> {
  const args = ['--import', 'tsx', join(import.meta.dirname, 'producer.ts'), folder, broker.plain, 'soak', String(next), ...(count === undefined ? [] : [String(count)])]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let out = ''
  child.stdout.on('data', (data: Buffer) => { out += data.toString() })
  const ended = once(child, 'close')
  if (count === undefined) {
    await Promise.race([once(child.stdout, 'data'), ended])
    await sleep(Math.random() * 600)
    child.kill('SIGKILL')
  }
  await ended
  const last = Number(out.slice(0, out.lastIndexOf('\n')).split('\n').at(-1) || next - 1)
  for (let n = next; n <= last; n++) accepted.add(`id-${n}`)
  for (let n = next; n <= last + 4; n++) possible.add(`id-${n}`)
  next = last + 20
}

try {
  for (let kill = 1; kill <= kills; kill++) {
    await run()
    if (kill % 50 === 0) {
      await broker.kill()
      await run()
      await broker.start()
      console.log(`${kill} kills, ${accepted.size} alerts accepted, store ${(statSync(join(folder, 'wardwire.mdb')).size / 1e6).toFixed(1)} MB`)
    }
  }
  await run(10)
  const got = (await everythingIn(broker.plain, 'soak.alerts.v1')).map(({ alert }) => alert)
  const arrived = new Set(got.map(({ id }) => id))
  const missing = [...accepted].filter((id) => !arrived.has(id))
  const invented = [...arrived].filter((id) => !possible.has(id))
  const disorder = [...new Set(got.map(({ device }) => device.id))].filter((device) => {
    const numbers = [...new Set(got.filter((a) => a.device.id === device).map(({ id }) => Number(id.slice(3))))]
    return numbers.some((n, i) => i > 0 && n < numbers[i - 1]!)
  })
  console.log(`${accepted.size} accepted, ${arrived.size} arrived, ${got.length - arrived.size} repeats, ${missing.length} missing, ${invented.length} invented, ${disorder.length} devices out of order`)
  process.exitCode = missing.length + invented.length + disorder.length > 0 ? 1 : 0
} finally {
  await broker.remove()
  rmSync(folder, { recursive: true, force: true })
}
