/**
 * Does patient data leave? Every field that may hold some carries a canary; every output is scanned for it, plain, hashed without
 * a key, and in the forms an encoder might give it.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { el, sq, type Element } from '../fixtures/build/dicom.ts'
import { EventSpool } from '../src/store/event-spool.ts'
import { wardwire } from './src/program.ts'
import { get, metricsOf, Service, until } from './src/service.ts'
import { CT_IMAGE_STORAGE, OUTSIDE, START, SmallHospital, scan } from './src/small-hospital.ts'

const folder = mkdtempSync(join(tmpdir(), 'wardwire-canary-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Distinct per field, so that a hit names the leak; short enough for the VRs with 16 characters. */
const canary = (field: string): string => `KANARI${field}`.slice(0, 16)

/** Attributes of PS3.15 table E.1-1 that identify the patient, with canaries; those wardwire may publish are left as they are. */
const PATIENT: Element[] = [
  el(0x00080050, 'SH', canary('ACCESS')), el(0x00080090, 'PN', canary('REFPHYS')), el(0x00080092, 'ST', canary('REFADDR')), el(0x00081030, 'LO', canary('STUDYDE')),
  el(0x0008103e, 'LO', canary('SERIESD')), el(0x00081048, 'PN', canary('PHYSREC')), el(0x00081050, 'PN', canary('PERFPHY')), el(0x00081060, 'PN', canary('READING')),
  el(0x00081070, 'PN', canary('OPERATO')), el(0x00100010, 'PN', canary('NAME')), el(0x00100020, 'LO', canary('PATID')), el(0x00100021, 'LO', canary('ISSUER')),
  el(0x00100030, 'DA', '19010203'), el(0x00101000, 'LO', canary('OTHERID')), el(0x00101001, 'PN', canary('OTHERNA')), el(0x00101005, 'PN', canary('BIRTHNA')),
  el(0x00101040, 'LO', canary('ADDRESS')), el(0x00102154, 'SH', canary('PHONE')), el(0x00104000, 'LT', canary('COMMENT')), el(0x00200010, 'SH', canary('STUDYID')),
  el(0x00321032, 'PN', canary('REQPHYS')), el(0x00321060, 'LO', canary('REQPROC')), el(0x00380300, 'LO', canary('LOCATIO')), el(0x00400254, 'LO', canary('PPSDESC')),
  el(0x0040a730, 'SQ', [[el(0x0040a123, 'PN', canary('SRNAME')), el(0x00100020, 'LO', canary('NESTED'))]]),
]

const withPatient = (elements: Element[]): Element[] => {
  const tags = new Set(PATIENT.map((e) => e.tag))
  return [...elements.filter((e) => !tags.has(e.tag)), ...PATIENT].sort((a, b) => a.tag - b.tag)
}

const QUERY: Element[] = [
  el(0x00080050, 'SH', canary('QACC')), el(0x00080052, 'CS', 'STUDY'), el(0x00080090, 'PN', canary('QREF')), el(0x00100010, 'PN', `${canary('QNAME')}*`),
  el(0x00100020, 'LO', canary('QID')), el(0x00100030, 'DA', '19010203'),
  sq(0x00400100, [[el(0x00400006, 'PN', canary('QPERF'))]]),
]

const MESSAGE = [
  'MSH|^~\\&|ADT|GH|ENG|GH|20260202080000||ADT^A08^ADT_A01|CTRL1|P|2.5.1',
  `EVN|A08|20260202|||${canary('EVNOP')}`,
  `PID|1|${canary('PID2')}|${canary('PID3')}^^^GH^MR~${canary('PID3R')}|${canary('PID4')}|${canary('PID5')}^X||19010203|F|${canary('PID9')}||${canary('PID11')}^^TOWN||${canary('PID13')}|||||${canary('PID18')}|${canary('PID19')}|||${canary('PID23')}`,
  `NK1|1|${canary('NK1NAME')}|SPO|${canary('NK1ADDR')}|${canary('NK1TEL')}`,
  `MRG|${canary('MRG1')}`, `PV1|1|I|${canary('PV1LOC')}||||${canary('PV1DOC')}||||||||||||${canary('VISIT')}`,
  `GT1|1||${canary('GT1NAME')}`, `IN1|1|P|||${canary('IN1')}||||||||||||${canary('IN1NAME')}`,
  `ORC|NW|${canary('PLACER')}|${canary('FILLER')}`, `OBR|1|${canary('OBR2')}|${canary('OBR3')}|CT^CHEST||||||||||||${canary('OBR16')}||${canary('OBR18')}|${canary('OBR19')}`,
  `OBX|1|TX|X||${canary('OBX5')}`, `NTE|1||${canary('NTE')}`, `ZPI|${canary('ZSEG')}`, '',
].join('\r')

/** Canaries in every field, and something to say of them. */
function troubledHospital(): Uint8Array {
  const hospital = new SmallHospital()
  for (let n = 0; n < 3; n++) {
    hospital.association(START + n * 60e6, withPatient(scan(n)), QUERY)
    hospital.feed(START + n * 60e6 + 1e6, [{ text: MESSAGE, controlId: 'CTRL1' }], n === 2 ? `unknown patient ${canary('ACKTEXT')}` : undefined)
  }
  // A title nobody knows, and studies to the Internet, give alerts something to say.
  hospital.association(START + 400e6, withPatient(scan(9)), QUERY, 'ROGUE')
  for (let n = 0; n < 20; n++) hospital.association(START + 500e6 + n * 10e6, withPatient(scan(20 + n)), QUERY, 'CT1', OUTSIDE)
  return hospital.capture()
}

const scanned = (text: string): string[] => {
  const fields = [...JSON.stringify({ PATIENT, QUERY, MESSAGE }).matchAll(/KANARI[A-Z0-9]+/g)].map(([word]) => word)
  const forms = fields.flatMap((word) => [
    word, word.toLowerCase(), Buffer.from(word).toString('base64').slice(0, 12), Buffer.from(word).toString('hex'),
    ...['md5', 'sha1', 'sha256'].map((hash) => createHash(hash).update(word).digest('hex').slice(0, 16)),
  ])
  const hay = text.toLowerCase()
  return [...forms, '19010203'].filter((form) => hay.includes(form.toLowerCase()))
}

describe('patient data', () => {
  test('does the scan find a canary that is there?', () => {
    expect(scanned(`x ${canary('PID5')} y`)).not.toEqual([])
    expect(scanned(Buffer.from(canary('NAME')).toString('base64'))).not.toEqual([])
  })

  const hospital = troubledHospital()

  test('is it in no event, alert, log line, terminal list, report, state, or evidence but the packets?', async () => {
    const capture = join(folder, 'canary.pcap')
    writeFileSync(capture, hospital)
    expect(readFileSync(capture, 'latin1')).toContain(canary('PID5'))
    expect(readFileSync(capture, 'latin1')).toContain(CT_IMAGE_STORAGE)

    const env = { XDG_STATE_HOME: folder }
    const state = join(folder, 'state')
    const listed = await wardwire(['replay', capture, '--state', state, '--report', join(folder, 'report')], { env })
    const written = await wardwire(['replay', capture, '--events', join(folder, 'events'), '--alerts', join(folder, 'alerts')], { env })
    expect([listed.code, written.code]).toEqual([0, 0])

    const outputs = new Map<string, string>([['list', listed.stdout + listed.stderr], ['log', written.stdout + written.stderr]])
    for (const name of ['events', 'alerts', 'report']) outputs.set(name, readFileSync(join(folder, name), 'utf8'))
    for (const name of readdirSync(state)) outputs.set(`state/${name}`, readFileSync(join(state, name), 'latin1'))
    // What is handed over: raw packets are patient data and say so; nothing else of it is.
    const id = /"id":"(a-[^"]*)"/.exec(outputs.get('alerts')!)![1]!
    const handed = await wardwire(['evidence', `${join(folder, 'alerts')}:${id}`, '--capture', capture, '--state', state, '-o', join(folder, 'handed.tar.gz')], { env })
    expect(handed.code, handed.stderr).toBe(0)
    execFileSync('tar', ['-xzf', join(folder, 'handed.tar.gz'), '-C', folder])
    for (const name of readdirSync(join(folder, id))) {
      const text = readFileSync(join(folder, id, name), 'latin1')
      if (name.includes('raw-patient-data')) expect(scanned(text)).not.toEqual([])
      else outputs.set(`handed/${name}`, text)
    }
    expect(outputs.size).toBeGreaterThan(8)
    expect(outputs.get('events')).toMatch(/"patient":"[0-9a-v]{16}"/)
    for (const [name, text] of outputs) expect(scanned(text), name).toEqual([])
  })
  test('R24: is it in no log line, metric, health page, event or alert of the service, and in nothing that waits on its disk for brokers and receivers that are away?', async () => {
    const state = join(folder, 'live')
    const config = join(folder, 'live.yaml')
    writeFileSync(config, `kafka: { brokers: ['127.0.0.1:1'] }\nsinks: [{ type: webhook, url: "http://127.0.0.1:1/" }]\nservice: { checkpoint_seconds: 0.2 }\n`)
    const service = new Service(['watch', '-', '--config', config, '--state', state, '--publish', '--publish-events', '--metrics-port', '0', '--events', join(folder, 'live-events'), '--alerts', join(folder, 'live-alerts')],
      { env: { XDG_STATE_HOME: folder } })
    const port = await service.port()
    await service.feed(hospital)
    await until(async () => metricsOf((await get(port, '/metrics')).body).get('wardwire_spool_alerts{sink="webhook"}')! > 0)
    await until(async () => metricsOf((await get(port, '/metrics')).body).get('wardwire_event_spool_bytes')! > 0)
    const outputs = new Map([['metrics', (await get(port, '/metrics')).body], ['health', (await get(port, '/readyz?verbose')).body]])
    service.child.kill('SIGTERM')
    await until(() => service.stderr.includes('because of SIGTERM'))
    // The receiver is not waited for; what waits for it stays.
    service.child.kill('SIGTERM')
    await service.ended
    outputs.set('log', service.stdout + service.stderr)
    for (const name of ['live-events', 'live-alerts']) outputs.set(name, readFileSync(join(folder, name), 'utf8'))
    for (const name of readdirSync(state)) outputs.set(`state/${name}`, readFileSync(join(state, name), 'latin1'))
    const spool = new EventSpool(state, 1e9)
    outputs.set('events that wait', JSON.stringify(spool.next()))
    await spool.close()
    expect(outputs.get('live-alerts')).toContain('"id":"a-')
    expect(outputs.get('events that wait')).toContain('dicom.operation')
    for (const [name, text] of outputs) expect(scanned(text), name).toEqual([])
  })
})
