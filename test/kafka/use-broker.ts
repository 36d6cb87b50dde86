/** The broker of a test file, and a folder beside it: our own where Java and Maven are, else the one that KAFKA_BOOTSTRAP names (then without what needs to kill it). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { configSchema, type KafkaConfig } from '../../src/config.ts'
import { Broker, whyNoBroker } from './broker.ts'

export const named = process.env['KAFKA_BOOTSTRAP']
/** Why there is no broker to test with; undefined when there is one. */
export const why = named === undefined ? whyNoBroker() : undefined

export interface BrokerInUse {
  /** `host:port`, plain. */
  readonly address: string
  /** Ours, that may be killed; only where none is named. */
  readonly own: Broker
  /** A folder for files of the tests. */
  readonly place: string
  /** A configuration with topics of its own. @param more beside the defaults of the file */
  readonly fresh: (more?: object) => KafkaConfig
}

/** To be called in `describe.skipIf(why !== undefined)`. @param defaults of every configuration */
export function useBroker(defaults: object): BrokerInUse {
  let own: Broker | undefined
  let place = ''
  let topics = 0
  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), 'wardwire-kafka-test-'))
    if (named === undefined) own = await Broker.start()
  }, 180_000)
  afterAll(async () => {
    await own?.remove()
    rmSync(place, { recursive: true, force: true })
  })
  const address = (): string => named ?? own!.plain
  return {
    get address() { return address() },
    get own() { return own! },
    get place() { return place },
    fresh: (more = {}) => configSchema.parse({ kafka: { brokers: [address()], topic_prefix: `t${process.pid}-${topics++}`, ...defaults, ...more } }).kafka,
  }
}
