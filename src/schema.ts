/**
 * The published JSON of alerts and events. `docs/schema/` holds the same as JSON Schema; a test compares the two, and the types below with
 * those of the models and protocols. Readers ignore fields they don't know: within one version fields are only added.
 */
import { z } from 'zod'
import { SEVERITIES } from '../models/alert.ts'
import { MEMORIES } from '../models/baseline/novelty.ts'

const time = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/).describe('capture time, RFC 3339 UTC with microseconds')
const count = z.number().int().min(0)
const text = z.string().nullable()

// --------------------------------------------------------------------------------------------------- alerts

const device = z.object({
  id: z.string().describe('stable name of the logical device'),
  role: z.string(),
  name: z.string(),
  ip: z.array(z.string()),
  mac: z.array(z.string()),
  ae_titles: z.array(z.string()),
})

const memory = z.enum(MEMORIES)
/** The factors of a rarity: `models/arithmetic.ts`. */
const factor = z.discriminatedUnion('of', [
  z.object({
    of: z.literal('count'), stream: z.string(), window: z.enum(['hour', 'day']), observed: z.number(), n: z.number(), mean: z.number(), size: z.number(), floor: z.number().optional(), rate: z.number(), days: z.number(),
  }).describe('P(N >= n), N negative binomial; n is what was observed less what a silence left undone'),
  z.object({
    of: z.literal('news'), memory, value: z.string(), prior: z.object({ a: z.number(), b: z.number() }), news: z.number(), days: z.number(),
  }).describe('chance of news on a day: 1 - (b/(b+1))^a with a = prior.a + news, b = prior.b + days'),
  z.object({ of: z.literal('others'), memory, value: z.string(), users: z.number(), others: z.number(), known: z.boolean() })
    .describe('1 - (users + 0.2)/(others + 1)'),
  z.object({ of: z.literal('amount'), n: z.number(), mean: z.number(), size: z.number() }).describe('P(N >= n), N negative binomial'),
  z.object({ of: z.literal('share'), hits: z.number(), tries: z.number(), share: z.number(), least: z.number().optional(), size: z.number().optional() }).describe('P(at least hits of tries), binomial, or negative binomial where there is a size; no less than least'),
  z.object({ of: z.literal('sum'), bytes: z.number(), studies: z.number(), mu: z.number(), sigma: z.number(), median: z.number().optional(), seen: z.number(), days: z.number() })
    .describe('P(sum >= bytes) of so many log-normal sizes'),
  z.object({ of: z.literal('silence'), mean: z.number(), size: z.number() }).describe('P(N = 0), N negative binomial'),
  z.object({ of: z.literal('drip'), stream: z.string(), level: z.number(), days: z.number() })
    .describe('chance that the CUSUM of quiet days reaches this level on a day'),
  z.object({ of: z.literal('weight'), why: z.string(), times: z.number() }),
  z.object({ of: z.literal('cap'), why: z.string(), least: z.number() }).describe('p is never less than this'),
])

export const alertSchema = z.object({
  schema: z.literal('wardwire.alert/1'),
  id: z.string().describe('a function of the evidence; the same in every revision'),
  revision: z.number().int().min(1).describe('grows each time the alert does'),
  raised_at: time,
  first_seen: time,
  last_seen: time,
  severity: z.enum(SEVERITIES),
  score: z.number(),
  detector: z.string().describe('the leading one'),
  title: z.string(),
  explanation: z.string().describe('observations, context and advice as one text'),
  advice: z.object({
    would_explain: z.array(z.string()).describe('harmless things that look the same'), would_not: z.string().describe('what may seem to explain it and does not'), next: z.string(),
  }).optional().describe('absent where the sensor speaks about itself'),
  device,
  peers: z.array(device),
  hosts: z.array(z.string()).describe('every address involved'),
  evidence: z.array(z.object({
    detector: z.string(),
    group: z.enum(['identity', 'novelty', 'volume', 'meaning', 'protocol', 'slow']),
    at: time,
    p: z.number().nullable().describe('probability of this or something rarer under the device\'s own baseline; null for rules'),
    observed: z.number().nullable(),
    most: z.number().optional().describe('the most that was observed of it in this alert, where that is more'),
    expected: z.number().nullable(),
    unit: text,
    text: z.string(),
    flows: z.array(z.string()).describe('community ids'),
    arithmetic: z.array(factor).optional().describe('what p is the product of; absent for rules'),
    actor: z.string().optional().describe('id of the device whose deed it was'),
    peer: text.optional().describe('id of the device at the other end'),
    service: text.optional().describe('DIMSE command or HL7 message type'),
    services: z.array(z.string()).optional().describe('others that the same was done by'),
  })),
  attack_version: z.string().optional().describe('version of MITRE ATT&CK Enterprise'),
  campaign: z.string().optional().describe('id of the alert that the campaign began with: incidents within 72 h that share an actor or a target'),
  attack: z.array(z.object({ technique: z.string(), name: z.string(), tactic: z.string() })).describe('MITRE ATT&CK'),
  flows: z.array(z.string()).describe('community ids'),
  count: count.describe('events behind it'),
  baseline: z.object({
    days: z.number(), events: z.number(), state: z.string(),
    others: z.number().optional().describe('other devices of its role'), pace: z.number().optional().describe('percent of their usual that they do today'),
  }),
  capture: z.object({ sensor: z.string(), source: z.string(), loss: z.number() }),
}).meta({ title: 'wardwire alert' })

// --------------------------------------------------------------------------------------------------- events

const sides = <T extends z.ZodType>(of: T): z.ZodObject<{ client: T; server: T }> => z.object({ client: of, server: of })
const endpoint = z.object({ ip: z.string(), port: count, mac: text })

const common = { v: z.literal(1), at: time, complete: z.boolean(), after_gap: z.boolean() }
const onFlow = {
  ...common,
  flow: z.object({
    id: z.string(), client: endpoint, server: endpoint, vlan: z.array(count), community_id: z.string(),
    midstream: z.boolean().describe('the start was not seen, so client and server are taken, not known'),
  }),
}
const status = z.string().regex(/^[0-9A-F]{4}$/)
const counts = z.record(z.string(), count)

const command = z.enum(['C-STORE', 'C-FIND', 'C-GET', 'C-MOVE', 'C-ECHO', 'N-EVENT-REPORT', 'N-GET', 'N-SET', 'N-ACTION', 'N-CREATE', 'N-DELETE'])
const cause = z.object({
  command, flow: z.string().describe('id of the conversation it was asked on'), ae: text, ip: z.string(), message_id: count, by: z.enum(['originator', 'destination', 'transaction']), after_ms: z.number(),
})

const association = z.object({
  kind: z.literal('dicom.association'), ...onFlow,
  calling_ae: text, called_ae: text,
  result: z.enum(['accepted', 'rejected', 'unanswered', 'unseen']),
  ended: z.enum(['released', 'aborted', 'closed', 'reset', 'open']),
  reject: z.object({ result: count, source: count, reason: count }).nullable(),
  abort: z.object({ source: count, reason: count }).nullable(),
  contexts: z.array(z.object({
    id: count, abstract_syntax: text, transfer_syntaxes: z.array(z.string()), result: count.nullable(), transfer_syntax: text,
  })),
  max_pdu: sides(count.nullable()),
  implementation: sides(z.object({ class_uid: text, version_name: text }).nullable()),
  user_identity: z.object({ type: count, has_passcode: z.boolean(), accepted: z.boolean().exactOptional() }).nullable(),
  roles: z.array(z.object({ sop_class_uid: z.string(), scu: z.boolean(), scp: z.boolean() })),
  async_operations: z.object({ invoked: count, performed: count }).nullable(),
  application_context: z.string().exactOptional().describe('where it is another than DICOM\'s'),
  extended_negotiation: z.array(z.object({ sop_class_uid: z.string(), bytes: count })).exactOptional(),
  common_extended_negotiation: z.array(z.object({ sop_class_uid: z.string(), service_class_uid: z.string(), related: z.array(z.string()) })).exactOptional(),
  unknown_items: z.array(count).exactOptional(),
  cause: cause.exactOptional().describe('the C-MOVE that it was opened for'),
  violations: count.exactOptional(),
  operations: counts,
  bytes: sides(count),
  started: time, ended_at: time,
})

const operation = z.object({
  kind: z.literal('dicom.operation'), ...onFlow,
  transport: z.enum(['dimse', 'dicomweb']),
  command,
  calling_ae: text, called_ae: text, invoker: z.enum(['client', 'server']), message_id: count, context_id: count,
  sop_class_uid: text, sop_instance_uid: text,
  status: status.nullable(), pending: count, cancelled: z.boolean(),
  dataset: z.object({
    bytes: count, transfer_syntax: text, study_uid: text, series_uid: text, modality: text, study_date: text,
    patient: text, accession: text, manufacturer: text, model: text, software: text, station: text, serial: text, institution: text,
    private_bytes: count.exactOptional().describe('bytes of private elements that may hold anything'),
    documents: z.array(z.object({ element: z.string(), declared: text, bytes: count, content: z.string() })).exactOptional()
      .describe('encapsulated documents, and what is no picture or number where one should be, by their first bytes'),
  }).nullable(),
  query: z.object({
    level: text, keys: z.array(z.string()), wildcard: z.boolean(), matches: count, patients: count.exactOptional(), ranges: z.array(z.string()).exactOptional(), study_uids: z.array(z.string()).exactOptional(),
  }).nullable(),
  move: z.object({
    destination_ae: text, completed: count.nullable(), failed: count.nullable(), warning: count.nullable(), remaining: count.nullable(),
    flows: z.array(z.string()).exactOptional().describe('ids of the conversations it made the archive open'), stored: count.exactOptional(),
  }).nullable(),
  move_originator: z.object({ ae: z.string(), message_id: count.nullable() }).exactOptional(),
  commitment: z.object({ type: count.nullable(), transaction_uid: text, instances: count, failed: count, asked: count.exactOptional() }).exactOptional(),
  web: z.object({
    transaction: z.enum(['QIDO-RS', 'WADO-RS', 'STOW-RS', 'WADO-URI', 'download', 'upload']), resource: z.string(), http_status: count.nullable(), instances: count, studies: z.array(z.string()),
    preambles: counts.describe('what the 128 bytes in front of instances are, other than zeros'), authorization: text,
  }).exactOptional().describe('of transport dicomweb'),
  cause: cause.exactOptional(),
  started: time, duration_ms: z.number().nullable(),
})

const message = z.object({
  kind: z.literal('hl7.message'), ...onFlow,
  direction: z.enum(['client', 'server']),
  message_type: text, structure: text, control_id: text,
  sending_app: text, sending_facility: text, receiving_app: text, receiving_facility: text,
  version: text, processing_id: text, charset: text, message_time: text,
  segments: counts, bytes: count, patient: text, orders: z.array(z.string()), batch: z.boolean(),
  acks: z.array(z.object({
    code: z.string(), control_id: text, message_type: text, bytes: count, patients: count, latency_ms: z.number().nullable(),
  })),
  acknowledges: z.object({ control_id: z.string(), code: z.string() }).nullable(),
})

const tls = z.object({
  kind: z.literal('tls.session'), ...onFlow,
  version: text, sni: text, alpn: text, ja4: text,
  certificate: z.object({ subject: text, issuer: text, not_after: text }).nullable(),
})

const flow = z.object({
  kind: z.literal('flow'), ...onFlow,
  transport: z.enum(['tcp', 'udp']),
  protocol: z.enum(['dicom', 'hl7', 'tls']).nullable(),
  state: z.enum(['established', 'refused', 'unanswered', 'midstream']),
  bytes: sides(count), packets: sides(count), retransmitted: count, gaps: sides(count),
  started: time, ended_at: time,
})

const host = z.object({
  kind: z.literal('host'), ...common,
  ip: z.string(), mac: text, vendor: text,
  os: z.object({ name: z.string(), eol: text, evidence: z.string(), family: z.string().optional(), source: z.string().optional() }).nullable(),
  hostname: text, evidence: z.string(), confidence: z.enum(['high', 'medium', 'low']).optional(),
})

const violation = z.object({
  kind: z.literal('violation'), ...onFlow,
  protocol: z.enum(['tcp', 'dicom', 'hl7', 'tls']),
  code: z.string(), section: z.string(), offset: z.number(), detail: z.string(),
})

const capture = z.object({
  kind: z.literal('capture'), v: common.v, at: time,
  frames: count, bytes: count, dropped: counts, gaps: count, truncated: z.boolean(),
})

export const eventSchema = z.discriminatedUnion('kind', [association, operation, message, tls, flow, host, violation, capture]).meta({ title: 'wardwire event' })

/** An alert as it is on a topic or a line of `--alerts`. */
export type AlertJson = z.output<typeof alertSchema>
/** An event as it is on a line of `--events`. */
export type EventJson = z.output<typeof eventSchema>

/** JSON Schema (draft 2020-12) of what is published; more fields are allowed. */
export function publishedSchemas(): Record<'alert.v1' | 'event.v1', object> {
  return { 'alert.v1': z.toJSONSchema(alertSchema, { io: 'input' }), 'event.v1': z.toJSONSchema(eventSchema, { io: 'input' }) }
}
