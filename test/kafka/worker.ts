/**
 * A worker in a process of its own, to be killed: takes small bites and saves often, so that a kill finds it in the middle of everything.
 *
 *   tsx worker.ts BROKER PREFIX SESSION_SECONDS [STATE]
 */
import { configSchema } from '../../src/config.ts'
import { Worker } from '../../src/detect/worker.ts'
import { Shelf } from '../../src/store/shelf.ts'

const [broker = '', prefix = '', session = '', folder] = process.argv.slice(2)
const { kafka } = configSchema.parse({ kafka: { brokers: [broker], topic_prefix: prefix, partitions: 4, session_seconds: Number(session) } })
const end = new AbortController()
process.on('SIGTERM', () => end.abort())
const say = (line: string): void => { process.stderr.write(`${line}\n`) }
const worker = new Worker({
  kafka, group: 'detect', shelf: folder === undefined ? undefined : new Shelf(folder, 'detect'), checkpoint: { messages: 3000, milliseconds: 60_000 }, deadline: 10_000, fetchBytes: 60_000, say, signal: end.signal,
  onJoined: (partitions) => process.stdout.write(`joined ${partitions.join(' ')}\n`),
})
await worker.run()
await worker.close()
