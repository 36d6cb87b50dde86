/** What may happen on the day that is judged, in words of one line: the cases of the detectors and the benign twins are made of these. */
import type { Cause, DataSetFacts, Flow, Hl7Message, Micros, WireEvent } from '../../protocols/events.ts'
import { DAY, HOUR, MINUTE, SECOND, START, association, at, failedFlow, find, flow, flowEnd, host, message, move, study, type Host } from './build.ts'
import { ARCHIVE, CT01, HIS, LAB, READERS, RIS, SCANNERS, WS01, WS02, WS03, inOrder, ordinaryDay, read } from './hospital.ts'
import { TODAY, stored } from './learned.ts'

/** n times, from an hour of today on, so many minutes apart. */
export const times = (n: number, hour: number, apart: number, make: (when: Micros, i: number) => WireEvent | WireEvent[]): WireEvent[] =>
  Array.from({ length: n }, (_, i) => make(at(TODAY, hour, i * apart), i)).flat()

/** The archive takes connections between two hours of today, and rejects each association. @param why result, source and reason of its answer (PS3.8 table 9-21) */
export const rejecting = (from: number, to: number, why: { result: number; source: number; reason: number }): WireEvent[] => {
  const hit = new Map<string, Micros>()
  const rejections: WireEvent[] = []
  const rest = ordinaryDay(TODAY).filter((event) => {
    if (!('flow' in event) || event.at < at(TODAY, from) || event.at >= at(TODAY, to)) return true
    const { client, server } = event.flow
    if (server.ip === ARCHIVE.ip && !hit.has(event.flow.id)) {
      hit.set(event.flow.id, event.at)
      rejections.push(association(event.flow, event.at, client.ip, {}, { result: 'rejected', reject: why, ended: 'closed' }))
    }
    return server.ip !== ARCHIVE.ip && client.ip !== ARCHIVE.ip
  })
  return inOrder([...rest, ...rejections])
}

/** From an hour of a day on, and until another, some machines do nothing any more. */
export const dark = (from: number, machines: readonly Host[] = [...SCANNERS, ...READERS], until = 24, events = ordinaryDay(TODAY)): WireEvent[] => events.filter((event) =>
  !('flow' in event) || event.at < at(TODAY, from) || event.at >= at(TODAY, until) || !machines.some(({ ip }) => ip === event.flow.client.ip || ip === event.flow.server.ip))

const rejected = { result: 'rejected', reject: { result: 1, source: 1, reason: 3 }, ended: 'closed' } as const
export const guesses = (n: number, title: (i: number) => string): WireEvent[] =>
  times(n, 10, 0.5, (when, i) => association(flow(WS02, ARCHIVE), when, title(i), {}, rejected))

/** Studies sent over one association each. */
export const sends = (from: Host, to: Host, n: number, hour: number, apart: number, of: (i: number) => string, made = TODAY, bytes = 500_000): WireEvent[] =>
  times(n, hour, apart, (when, i) => stored(from, to, when, study(`s${i}.${hour}`, of(i), made, { bytes })))

/** Studies of CT01 over the day whose objects hold so much in private elements. */
export const hoards = (n: number, bytes: number, apart = 70): WireEvent[] =>
  times(n, 9, apart, (when, i) => stored(CT01, ARCHIVE, when, study(`hoard${i}.${bytes}`, orderedPatient(i), TODAY, { bytes: 1_000_000 + bytes, private_bytes: bytes })))

export const talks = (from: Host, to: Host, n: number, more: Parameters<typeof flowEnd>[3] = {}): WireEvent[] =>
  times(n, 10, 5, (when) => flowEnd(flow(from, to), when, null, more))

export const onPort = (from: Host, to: Host, port: number, n: number): WireEvent[] => times(n, 10, 5, (when) => flowEnd(flow(from, to, port), when, null))

/** The same, so much later. */
export const later = (events: WireEvent[], by: Micros): WireEvent[] => events.map((event) => ({
  ...event, at: event.at + by, ...('started' in event ? { started: event.started + by } : {}), ...('ended_at' in event ? { ended_at: event.ended_at + by } : {}),
}))

/** On the Internet; nobody knows it. */
export const COMMAND = host('COMMAND', '93.184.215.99')
/** n small conversations, so many minutes apart, each up to a share of that early or late. */
export const calls = (from: Host, to: Host, n: number, apart: number, early: (i: number) => number, more: Parameters<typeof flowEnd>[3] = {}, port = 443): WireEvent[] =>
  Array.from({ length: n }, (_, i) => at(TODAY, 8, apart * (i + early(i)))).map((when) =>
    flowEnd(flow(from, to, port, more.transport === 'udp' ? { transport: 'udp' } : {}), when, null, { started: when - SECOND, ended_at: when, ...more }))
export const byTheClock = (i: number): number => 0.08 * Math.sin(i)
/** As people come and go. */
export const byChance = (i: number): number => 4 * Math.sin(7 * i) + 3 * Math.sin(3.1 * i)

export const contacts = (n: number, to: (i: number) => Flow): WireEvent[] => times(n, 10, 0.1, (when, i) => failedFlow(to(i), when, 'unanswered'))

export const sent = (from: Host, to: Host, n: number, apart: number, type: string, of: (i: number) => string, more: Parameters<typeof message>[6] = {}): WireEvent[] => {
  const on = flow(from, to, 2575)
  return times(n, 13, apart, (when, i) => message(on, when, from, to, type, of(i), more))
}

/** A message that repeats an earlier one, which was answered so. */
export const again = (answered: string | null): Partial<Hl7Message> => ({ repeat: { same_body: true, answered, after_ms: 60_000 } })

export const holds = (n: number, seconds: number): WireEvent[] =>
  times(n, 10, 3, (when) => association(flow(WS03, ARCHIVE), when, WS03.name, {}, { started: when - seconds * SECOND }))

export const floods = (n: number): WireEvent[] =>
  times(5, 10, 1, (when) => association(flow(WS02, ARCHIVE), when, WS02.name, {}, {
    ended: 'aborted',
    contexts: Array.from({ length: n }, (_, i) => ({ id: 2 * i + 1, abstract_syntax: `1.2.${i % 15}`, transfer_syntaxes: ['1.2.840.10008.1.2'], result: 0, transfer_syntax: '1.2.840.10008.1.2' })),
  }))

export const asks = (n: number, patients: number): WireEvent[] =>
  sent(HIS, RIS, n, 0.2, 'QBP^Q22', () => 'any-1', { acks: [{ code: 'AA', control_id: null, message_type: 'RSP^K22', bytes: 500, patients, latency_ms: 5 }] })

export const moves = (destination: string, n: number): WireEvent[] =>
  times(n, 11, 2, (when) => {
    const on = flow(WS01, ARCHIVE)
    return [find(on, when, WS01.name, 2), move(on, when + 5 * SECOND, WS01.name, destination)]
  })

export const documentOf = (content: string, declared: string | null = 'application/pdf', bytes = 40_000): WireEvent[] =>
  sent(LAB, HIS, 1, 0, 'ORU^R01', () => 'any-1', {
    documents: [{ value_type: 'ED', declared, encoding: 'Base64', bytes, content }],
  })

/** No order today or before names these. */
export const unknownPatient = (i: number): string => `nobody-${i}`
/** Patients with an order of this morning. */
export const orderedPatient = (i: number): string => `${TODAY}-${i % 3}-${Math.floor(i / 3) % 14}`

export const reads = (n: number, of: (i: number) => string): WireEvent[] => times(n, 12, 1.5, (when, i) => read(WS03, when, `x${i}`, of(i), TODAY)).flat()

/** Two weeks in which WS03 reads so many studies more a day without an order, spread over the day. */
export const fortnight = (n: number): WireEvent[] =>
  Array.from({ length: 14 }, (_, d) => inOrder([
    ...ordinaryDay(TODAY + d),
    ...Array.from({ length: n }, (__, i) => read(WS03, at(TODAY + d, 9 + 2.5 * i, 7), `drip${d}.${i}`, `nobody-${d}-${i}`, TODAY + d)).flat(),
  ])).flat()

export const PARTNER = host('PARTNER', '93.184.215.14')

/** A day on which the archive is gone from ten o'clock on, and everybody tries in vain. */
export const archiveGone = (): WireEvent[] => outage(ordinaryDay(TODAY), ARCHIVE, at(TODAY, 10), at(TODAY + 1, 0))

/**
 * A server answers nobody for a while. Whoever calls it tries every ten minutes, and when it is back does what was left undone, one thing
 * after the other.
 * @param pause between two things left undone
 */
export function outage(events: WireEvent[], server: Host, from: Micros, to: Micros, pause = 20 * SECOND): WireEvent[] {
  const happened: WireEvent[] = []
  const undone = new Map<string, Extract<WireEvent, { flow: Flow }>[]>()
  for (const event of events) {
    const hit = 'flow' in event && event.at >= from && event.at < to && (event.flow.client.ip === server.ip || event.flow.server.ip === server.ip)
    if (!hit) happened.push(event)
    else {
      const { client } = event.flow
      const caller = client.ip === server.ip ? event.flow.server : client
      undone.set(caller.ip, [...undone.get(caller.ip) ?? [], event])
    }
  }
  for (const [ip, list] of undone) {
    const { client, server: end } = list.find(({ flow }) => flow.client.ip === ip)?.flow ?? list[0]!.flow
    if (client.ip === ip) {
      const caller = host('', ip, client.mac)
      for (let when = list[0]!.at; when < to; when += 10 * MINUTE) happened.push(failedFlow(flow(caller, server, end.port), when, 'refused'))
    }
    let [n, begin] = [-1, -Infinity]
    for (const event of list) {
      if (event.at - begin > pause) {
        begin = event.at
        n++
      }
      const later = to + n * pause + event.at - begin
      if (later < at(TODAY + 1, 0)) happened.push({ ...event, at: later })
    }
  }
  return inOrder(happened)
}

/** A study that the archive sends to somebody, at the request of another. */
export function moved(by: Host, to: Host, when: Micros, facts: DataSetFacts): WireEvent[] {
  const asked = flow(by, ARCHIVE)
  const cause: Cause = { command: 'C-MOVE', flow: asked.id, ae: by.name, ip: by.ip, message_id: 1, by: 'originator', after_ms: 100 }
  return [
    ...stored(ARCHIVE, to, when, facts).map((event) => (event.kind === 'dicom.operation' ? { ...event, cause } : event)),
    move(asked, when + 3 * SECOND, by.name, to.name),
  ]
}

/** Nothing of this host is on the wire for a while. */
export const without = (events: WireEvent[], absent: Host, from: Micros, to: Micros): WireEvent[] => events.filter((event) =>
  !('flow' in event) || event.at < from || event.at >= to || (event.flow.client.ip !== absent.ip && event.flow.server.ip !== absent.ip))

/** A day on which hosts appear as others from an hour on. */
export const switched = (day: number, hour: number, as: (host: Host) => Host): WireEvent[] =>
  inOrder([...ordinaryDay(day).filter((event) => event.at < at(day, hour)), ...ordinaryDay(day, as).filter((event) => event.at >= at(day, hour))])

export const shift = (events: WireEvent[], by: Micros): WireEvent[] => events.map((event) => ({ ...event, at: event.at + by }))

/** Days from today on, each as it is made. */
export const days = (n: number, make: (day: number) => WireEvent[]): WireEvent[] => Array.from({ length: n }, (_, i) => inOrder(make(TODAY + i))).flat()

/** For each conversation that scanners begin between two hours of the day, the one that they have with somebody else instead, or as well. */
function beside(scanners: readonly Host[], server: Host, port: number, from: number, until: number): (event: WireEvent & { flow: Flow }) => Flow | undefined {
  const flows = new Map<string, Flow>()
  return (event) => {
    const scanner = scanners.find(({ ip }) => ip === event.flow.client.ip)
    const hour = ((event.at - START) % DAY) / HOUR
    if (scanner === undefined || hour < from || hour >= until) return undefined
    const on = flows.get(event.flow.id) ?? flow(scanner, server, port)
    flows.set(event.flow.id, on)
    return on
  }
}

/** The same, but between two hours of a day scanners ask somebody else for their worklists. */
export function elsewhere(day: WireEvent[], scanners: readonly Host[], server: Host, from: number, until: number): WireEvent[] {
  const instead = beside(scanners, server, 105, from, until)
  return day.map((event): WireEvent => {
    if (!('flow' in event) || event.flow.server.ip !== RIS.ip || event.flow.server.port !== 105) return event
    return { ...event, flow: instead(event) ?? event.flow }
  })
}

/** Of what scanners send between two hours of a day, a copy of each object a minute later to somebody else, an association for each study. */
export function copies(day: WireEvent[], scanners: readonly Host[], to: Host, from: number, until: number): WireEvent[] {
  const asWell = beside(scanners, to, 104, from, until)
  return day.flatMap((event): WireEvent[] => {
    if (event.kind !== 'dicom.operation' || event.command !== 'C-STORE') return []
    const on = asWell(event)
    return on === undefined ? [] : [{ ...event, flow: on, at: event.at + MINUTE, started: event.started + MINUTE }]
  })
}
