/** The configuration file: one schema, with its defaults. `wardwire check FILE` prints what is in force. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { rangeOf } from '../models/posture/segments.ts'
import { UserError, reason } from './errors.ts'

const path = z.string().min(1)
const format = z.enum(['native', 'ecs', 'ocsf', 'cef'])

const tlsSchema = z.union([z.boolean(), z.strictObject({
  ca_file: path.optional().describe('certificates to trust instead of the system\'s (PEM)'),
  cert_file: path.optional().describe('our own certificate (PEM)'),
  key_file: path.optional().describe('the key of our own certificate (PEM)'),
  server_name: z.string().min(1).optional().describe('the name the server\'s certificate must have; default: the host'),
})])

const kafkaSchema = z.strictObject({
  brokers: z.array(z.string().regex(/^[^\s,]+:\d+$/, 'write it as host:port')).default([])
    .describe('first brokers to ask, host:port; --kafka overrides them'),
  topic_prefix: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/).default('wardwire')
    .describe('alerts go to the topic PREFIX.alerts.v1, events to PREFIX.events.v1'),
  tls: tlsSchema.default(false)
    .describe('true, or ca_file, cert_file, key_file, server_name'),
  sasl: z.strictObject({
    mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
    username: z.string().min(1),
    password_file: path.describe('file that holds nothing but the password'),
  }).optional()
    .describe('mechanism (plain, scram-sha-256, scram-sha-512), username, password_file'),
  create_topics: z.boolean().default(true)
    .describe('make topics that are missing'),
  partitions: z.int().min(1).max(10_000).default(12)
    .describe('of topics that are made'),
  retention_days: z.int().min(1).default(30)
    .describe('of topics that are made'),
  event_retention_days: z.int().min(1).default(7)
    .describe('of the events topic, if it is made: how long the workers may be away'),
  session_seconds: z.number().min(1).max(1800).default(15)
    .describe('a worker that is silent for so long is taken for dead, and others take over'),
})

const name = (fallback: string): z.ZodDefault<z.ZodString> => z.string().regex(/^[a-z0-9-]{1,32}$/).default(fallback)

/** Where alerts go besides Kafka. `format` is what a receiver reads: see docs/integrations. */
const sinkSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('jsonl'), name: name('jsonl'), format: format.default('native'),
    path: path.describe('the file; older ones get .1, .2 ... behind their name'),
    max_bytes: z.int().min(1024).default(100_000_000),
    keep: z.int().min(1).max(1000).default(10).describe('older files that are kept'),
  }),
  z.strictObject({
    type: z.literal('syslog'), name: name('syslog'), format: format.default('cef'),
    host: z.string().min(1), port: z.int().min(1).max(65535).default(6514), tls: tlsSchema.default(true),
    max_bytes: z.int().min(480).default(2048).describe('of one message; longer evidence is shortened'),
    facility: z.int().min(0).max(23).default(13).describe('RFC 5424 table 1; 13: log audit'),
  }),
  z.strictObject({
    type: z.literal('splunk'), name: name('splunk'), format: format.default('native'),
    url: z.url({ protocol: /^https?$/ }).describe('https://host:8088'), token_file: path, tls: tlsSchema.default(true),
    index: z.string().min(1).optional(), sourcetype: z.string().min(1).default('wardwire:alert'),
  }),
  z.strictObject({
    type: z.literal('webhook'), name: name('webhook'), format: format.default('native'),
    url: z.url({ protocol: /^https?$/ }), tls: tlsSchema.default(true),
    authorization_file: path.optional().describe('file that holds the value of the Authorization header'),
  }),
])

const serviceSchema = z.strictObject({
  checkpoint_seconds: z.number().min(0.1).max(86_400).default(60)
    .describe('how often what was learned is saved'),
  no_traffic_minutes: z.number().min(0.01).default(10)
    .describe('an alert says so when nothing was captured for so long'),
  loss: z.number().min(0).max(1).default(0.01)
    .describe('an alert says so when more than this part of the frames of a minute was lost'),
  stalled_minutes: z.number().min(0.01).default(5)
    .describe('an alert says so, and readyz is no, when alerts wait for a sink that has taken none for so long'),
})

export const configSchema = z.strictObject({
  sensor: z.string().min(1).max(64).default('wardwire')
    .describe('name of this sensor in alerts'),
  site: z.string().min(1).max(64).optional()
    .describe('the hospital whose events are judged together where workers judge them (--publish-events); default: the sensor\'s name'),
  site_key_file: z.string().optional()
    .describe('file with the site key (64 hexadecimal digits) behind every pseudonym; default: kept in the state folder, else in the user\'s own state folder'),
  calendar: z.string().optional()
    .describe('file with declared changes and known public peers'),
  community_id_seed: z.int().min(0).max(65535).default(0)
    .describe('seed of Community IDs; the same as in Zeek and Suricata, or their flows do not join'),
  segments: z.array(z.strictObject({
    name: z.string().min(1).max(64),
    cidr: z.string().refine((cidr) => rangeOf(cidr) !== undefined, 'write it as 10.1.2.0/24'),
  })).default([])
    .describe('networks of the site by name (name, cidr) for the segmentation audit; others are taken to be /24 and /64'),
  kafka: kafkaSchema.prefault({})
    .describe('how Kafka is reached'),
  sinks: z.array(sinkSchema).default([]).refine((sinks) => new Set(sinks.map((s) => s.name)).size === sinks.length, 'two sinks have the same name')
    .describe('where else alerts go: jsonl, syslog, splunk, webhook'),
  outbox_bytes: z.int().min(1_000_000).default(256_000_000)
    .describe('disk for alerts that wait, for each sink; beyond it the least severe go first'),
  event_outbox_bytes: z.int().min(1_000_000).default(4_000_000_000)
    .describe('disk for events that wait for Kafka (watch --publish-events with --state); beyond it the oldest go first'),
  service: serviceSchema.prefault({})
    .describe('of wardwire watch: checkpoint_seconds, no_traffic_minutes, loss, stalled_minutes'),
})

export type Config = z.output<typeof configSchema>
export type KafkaConfig = Config['kafka']
export type SinkConfig = Config['sinks'][number]
export type SinkConfigOf<T extends SinkConfig['type']> = Extract<SinkConfig, { type: T }>
export type TlsConfig = z.output<typeof tlsSchema>

/**
 * @param path a YAML or JSON file; undefined gives the defaults
 * @throws {UserError} that names the file and each key that is wrong
 */
export function loadConfig(path: string | undefined): Config {
  if (path === undefined) return configSchema.parse({})
  const result = configSchema.safeParse(readStructured(path, 'configuration') ?? {})
  if (result.success) return result.data
  const issues = result.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`)
  const hint = result.error.issues.some(({ code }) => code === 'unrecognized_keys') ? ' (wardwire check, without a file, lists every key)' : ''
  throw new UserError(`${path}: ${issues.join('; ')}${hint}`, 2)
}

/**
 * The `kafka` section with the brokers of the command line.
 * @param brokers `host:port,host:port`
 * @throws {UserError} when neither names a broker
 */
export function kafkaConfig(config: KafkaConfig, brokers: string | undefined): KafkaConfig {
  if (brokers === undefined && config.brokers.length > 0) return config
  const result = kafkaSchema.shape.brokers.safeParse((brokers ?? '').split(',').map((broker) => broker.trim()))
  if (!result.success) throw new UserError('--kafka needs brokers as host:port, several with commas between', 2)
  return { ...config, brokers: result.data }
}

/** Reads YAML, of which JSON is a part. @throws {UserError} */
export function readStructured(path: string, what: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UserError(`cannot read the ${what} ${path}: ${reason(error).split('\n', 1)[0]!.replace(/:$/, '')}`, 2)
  }
}
