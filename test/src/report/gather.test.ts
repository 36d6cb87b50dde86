/** Does the report's observer see what passes, within its bounds, and change nothing? */
import { describe, expect, test } from 'vitest'
import { CONVERSATION_LIMITS } from '../../../models/posture/conversations.ts'
import type { DayReading, DeviceView } from '../../../models/outlook.ts'
import type { DicomOperation, FlowEnd } from '../../../protocols/events.ts'
import { Pipeline } from '../../../src/pipeline.ts'
import { GATHER, Gather } from '../../../src/report/gather.ts'
import { inHtml } from '../../../src/report/html.ts'
import { TimelineBuilder } from '../../../src/report/timeline.ts'
import { CaptureReader, FRAME, MORE } from '../../../protocols/capture/reader.ts'
import { numbered } from '../alert.ts'
import { ordinaryDays, START } from '../small-hospital.ts'

const DAY = 86_400e6
const about = { version: '1', sensor: 's', files: [] }

const view = (id: string, ip: string, first = START): DeviceView => ({
  id, name: id, role: 'unknown', ip, addresses: [{ ip, mac: null, first, last: first, public: false }], ae_titles: [], applications: [], implementation: null, version: null,
  host: null, modalities: {}, first, last: first, events: 1, days: 1,
})
type Outlook = Parameters<Gather['data']>[0]
const outlook = (views: DeviceView[] = [], readings: [string, DayReading[]][] = []): Outlook => ({ view: () => views, readings: () => readings })

const flowEnd = (client: string, server: string, at: number, change: Partial<FlowEnd> = {}): FlowEnd => ({
  kind: 'flow', at, complete: true, after_gap: false, transport: 'tcp', protocol: 'dicom', state: 'established', bytes: { client: 70, server: 30 }, packets: { client: 1, server: 1 },
  retransmitted: 0, gaps: { client: 0, server: 0 }, started: at - 1e6, ended_at: at,
  flow: { id: 'f', transport: 'tcp', client: { ip: client, port: 1, mac: null }, server: { ip: server, port: 104, mac: null }, vlan: [], community_id: '1:x', midstream: false }, ...change,
})

describe('what is gathered', () => {
  test('are the days read while they are open, and the last one again at the end?', () => {
    const gather = new Gather()
    let observed = 5
    const asked = outlook([view('d', '10.0.0.1')], [])
    const reading = (): [string, DayReading[]][] => [['d', [{ stream: 'query', unit: 'queries', observed: observed++, expected: 4.567, high: Infinity, days: 2 }]]]
    Object.assign(asked, { readings: reading })
    gather.event(flowEnd('10.0.0.1', '10.0.0.2', START), asked)
    gather.event(flowEnd('10.0.0.1', '10.0.0.2', START + 1e6), asked)
    gather.event(flowEnd('10.0.0.1', '10.0.0.2', START + DAY), asked)
    const day = Math.floor(START / DAY)
    expect(gather.data(asked, about).series['d']).toEqual([{ stream: 'query', unit: 'queries', days: [day, day + 1], observed: [5, 6], expected: [4.57, 4.57], high: [null, null], learned: 2 }])
    // Asked again, the open day is replaced, not added.
    expect(gather.data(asked, about).series['d']![0]!.observed).toEqual([5, 7])
  })

  test('does a device that is watched for years show its latest days, and no more?', () => {
    const gather = new Gather()
    const asked = outlook([view('d', '10.0.0.1')], [['d', [{ stream: 'query', unit: 'queries', observed: 1, expected: 1, high: 3, days: 2 }]]])
    for (let day = 0; day < 1000; day++) gather.event(flowEnd('10.0.0.1', '10.0.0.2', START + day * DAY), asked)
    const { days, observed, expected, high } = gather.data(asked, about).series['d']![0]!
    expect([days.length, observed.length, expected.length, high.length]).toEqual(Array(4).fill(GATHER.days))
    expect(days.at(-1)).toBe(Math.floor(START / DAY) + 999)
    expect(days[0]).toBe(days.at(-1)! - GATHER.days + 1)
  })

  test('is the day that ends that of the site, not of Greenwich?', () => {
    const gather = new Gather('Asia/Tokyo')
    const asked = outlook([view('d', '10.0.0.1')], [['d', [{ stream: 'query', unit: 'queries', observed: 1, expected: 1, high: 3, days: 2 }]]])
    // 14:30 and 15:30 UTC: 23:30 and 00:30 in Tokyo.
    gather.event(flowEnd('10.0.0.1', '10.0.0.2', START + 6.5 * 3600e6), asked)
    gather.event(flowEnd('10.0.0.1', '10.0.0.2', START + 7.5 * 3600e6), asked)
    expect(gather.data(asked, about).series['d']![0]!.days).toHaveLength(2)
  })

  test('are conversations those of devices, whichever address they used?', () => {
    const gather = new Gather()
    const ct = { ...view('ct', '10.0.0.1'), addresses: [...view('ct', '10.0.0.1').addresses, ...view('ct', '10.0.0.7').addresses] }
    const known = outlook([ct, view('pacs', '10.0.0.2')])
    gather.event(flowEnd('10.0.0.1', '10.0.0.2', START), known)
    gather.event(flowEnd('10.0.0.7', '10.0.0.2', START + 9e6, { protocol: 'tls' }), known)
    gather.event(flowEnd('10.0.0.9', '10.0.0.2', START), known)
    const { edges, unseen } = gather.data(known, about)
    expect(edges).toHaveLength(1)
    expect(edges[0]).toMatchObject({ client: 'ct', server: 'pacs', flows: 2, bytes: 200, encrypted: 1, first: START - 1e6, last: START + 9e6 })
    expect(unseen.protocols).toEqual({ dicom: { flows: 2, bytes: 200 }, tls: { flows: 1, bytes: 100 } })
  })

  test('is somebody new who came after the first days, and nobody else?', () => {
    const gather = new Gather()
    const known = outlook([view('old', '10.0.0.1'), view('new', '10.0.0.2', START + 4 * DAY)])
    gather.event(flowEnd('10.0.0.1', '10.0.0.2', START), known)
    expect(gather.data(known, about).devices.map((d) => d.isNew)).toEqual([false, true])
  })

  test('does a scan of thousands of doors show who knocks, and fill no map?', () => {
    const gather = new Gather()
    const scanner = outlook([view('scanner', '10.9.9.9')])
    const nothing = { client: 0, server: 0 }
    for (let i = 0; i < 5000; i++) gather.event(flowEnd('10.9.9.9', `10.1.${i >> 8}.${i & 255}`, START + i, { state: i % 2 === 0 ? 'refused' : 'unanswered', protocol: null, bytes: nothing }), scanner)
    const { edges, devices, unseen } = gather.data(scanner, about)
    expect([edges.length, devices[0]!.failed, unseen.refused, unseen.unanswered, unseen.edgesBeyond]).toEqual([0, 5000, 2500, 2500, 0])
  })
})

describe('bounds', () => {
  test('do further pairs of hosts, services and names only count?', () => {
    const gather = new Gather()
    const none = outlook()
    const last = CONVERSATION_LIMITS.pairs + 9
    for (let i = 0; i <= last; i++) gather.event(flowEnd(`c${i}`, 's', START), none)
    // A sixteenth makes room at once.
    expect(gather.data(none, about).unseen.edgesBeyond).toBe(CONVERSATION_LIMITS.pairs / 16)
    for (let i = 0; i < 100; i++) {
      gather.event({ ...flowEnd(`c${last}`, 's', START), kind: 'dicom.operation', command: `X${i}`, dataset: null } as unknown as DicomOperation, none)
    }
    const [edge] = gather.data(outlook([view('c', `c${last}`), view('s', 's')]), about).edges
    expect(Object.keys(edge!.services)).toHaveLength(CONVERSATION_LIMITS.services + 1)
    expect(edge!.services['other']).toBe(100 - CONVERSATION_LIMITS.services)
  })

  test('do the least severe alerts give way, and are they counted?', () => {
    const gather = new Gather()
    for (let i = 0; i < GATHER.alerts + 50; i++) gather.alert(numbered(i, i < 100 ? 'high' : 'low'))
    const { alerts, unseen } = gather.data(outlook(), about)
    expect([alerts.length, alerts.filter((a) => a.severity === 'high').length, unseen.alertsBeyond]).toEqual([GATHER.alerts, 100, 50])
  })

  test('does a year fit the timeline, and lose no count?', () => {
    const timeline = new TimelineBuilder()
    for (let day = 0; day < 366; day++) for (let n = 0; n < 10; n++) timeline.add('dicom', START + day * DAY + n * 3600e6, 7)
    timeline.add('hl7', START - DAY, 1)
    const { dicom, bytes, hl7, step } = timeline.timeline()
    expect(dicom.length).toBeLessThanOrEqual(1440)
    expect(dicom.reduce((a, b) => a + b, 0)).toBe(3660)
    expect(bytes.reduce((a, b) => a + b, 0)).toBe(3660 * 7 + 1)
    expect([hl7[0], step % 60e6]).toEqual([1, 0])
  })
})

test('is what is learned and raised the same with a report and without?', () => {
  const run = (gather?: Gather): string => {
    const alerts: unknown[] = []
    const pipeline: Pipeline = new Pipeline({
      siteKey: new Uint8Array(32), sensor: 's', source: 'replay', communityIdSeed: 0, onAlert: (alert) => alerts.push(alert),
      ...(gather && { onEvent: (event) => gather.event(event, pipeline.outlook) }),
    })
    const reader = new CaptureReader()
    const capture = ordinaryDays(5)
    let from = 0
    for (;;) {
      const step = reader.next()
      if (step === FRAME) pipeline.frame(reader)
      else if (step === MORE) {
        const space = reader.space()
        const part = capture.subarray(from, from + space.length)
        space.set(part)
        from += part.length
        if (part.length === 0) reader.finish()
        else reader.filled(part.length)
      } else break
    }
    pipeline.finish()
    if (gather) expect(gather.data(pipeline.outlook, about).devices.length).toBe(4)
    return JSON.stringify([alerts, [...pipeline.learned()]])
  }
  expect(run(new Gather())).toBe(run())
})

test('does data in a page end no element, whatever it holds?', () => {
  const odd = { '</script>': '<!--<script>', b: '\u2028&amp;]]>' }
  expect(inHtml(odd)).not.toMatch(/[<>&\u2028]/)
  expect(JSON.parse(inHtml(odd))).toEqual(odd)
})
