/**
 * A process that produces alerts until it is killed: numbers from FROM on, three devices, into the state in FOLDER, delivered to BROKER. It prints
 * the number of each alert once it is stored, so is accepted. With COUNT, it stops there, delivers, and says what is left.
 *
 *   tsx producer.ts FOLDER BROKER PREFIX FROM [COUNT]
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { configSchema } from '../../src/config.ts'
import type { MakeSink } from '../../src/sinks/sink.ts'
import { sinkMakers } from '../../src/sinks/publisher.ts'
import { DELIVERY, Delivery } from '../../src/sinks/deliver.ts'
import { Intake } from '../../src/store/intake.ts'
import { State } from '../../src/store/state.ts'
import { numbered } from '../src/alert.ts'

const [folder = '', broker = '', prefix = '', from = '0', count] = process.argv.slice(2)
const say = (line: string): void => { process.stderr.write(`${line}\n`) }
const kafka = configSchema.parse({ kafka: { brokers: [broker], topic_prefix: prefix, partitions: 3 } }).kafka
const [[name, make]] = [...sinkMakers([], kafka, 'sensor')] as [[string, MakeSink]]
const state = new State(folder)
const outbox = state.openOutbox([name], 64_000_000)
const delivery = new Delivery(name, outbox, make, 'sensor', say, { ...DELIVERY, deadline: 5000, pause: { first: 50, longest: 500 } })
const intake = new Intake(outbox, () => delivery.wake(), say, { every: 10, retry: 200, hold: 10_000 })
delivery.start()

const last = count === undefined ? Infinity : Number(from) + Number(count)
for (let n = Number(from); n < last; n++) {
  intake.accept(numbered(n))
  if (n % 4 === 3 || n === last - 1) {
    if (intake.store()) process.stdout.write(`${n}\n`)
    await sleep(1)
  }
}
while (!intake.store()) await sleep(50)
say(`left ${await delivery.drain(30_000, true)}`)
await state.close()
