import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { el } from '../../fixtures/build/dicom.ts'
import { jsonLines, wardwire, type Run } from './program.ts'
import { SmallHospital, START, scan } from './small-hospital.ts'

let folder: string
const inspect = (...args: string[]): Promise<Run> => wardwire(['inspect', join(folder, 'day.pcap'), ...args], { env: { XDG_STATE_HOME: folder } })

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardwire-inspect-'))
  const hospital = new SmallHospital()
  hospital.association(START, scan(1), [el(0x00080052, 'CS', 'STUDY'), el(0x00100020, 'LO', 'P1')])
  hospital.association(START + 60e6, scan(2), [], 'EVIL\x1b[2J')
  hospital.feed(START + 120e6, ['C1', 'C2'].map((controlId) => ({ text: `MSH|^~\\&|ADT|GH|ENG|GH|20260202080000||ADT^A08|${controlId}|P|2.5.1\rPID|1||P1\r`, controlId })))
  hospital.feed(START + 180e6, ['R1', 'R1'].map((controlId) => ({ text: `MSH|^~\\&|RIS|GH|ENG|GH|20260202080000||ADT^A08|${controlId}|P|2.5.1\rPID|1||P1\r`, controlId })))
  writeFileSync(join(folder, 'day.pcap'), hospital.capture())
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('is an association read as people read one?', async () => {
  const { code, stdout } = await inspect()
  expect(code).toBe(0)
  expect(stdout).toMatch(/DICOM {2}10\.9\.1\.11:\d+ -> 10\.9\.0\.20:104 {2}2026-02-02 08:00:00Z/)
  expect(stdout).toMatch(/CT1 -> PACS {3}accepted, released/)
  expect(stdout).toMatch(/C-STORE +CT Image +0000 success .*study 1\.2\.3\.4\.1;/)
  expect(stdout).toMatch(/C-FIND +Study Root Query\/Retrieve - FIND +0000 success .*STUDY by PatientID: 1 match$/m)
})

test('is an interface read with its rate, latencies and outcomes?', async () => {
  const { stdout } = await inspect()
  expect(stdout).toMatch(/HL7 {2}10\.9\.2\.31:\d+ -> 10\.9\.0\.40:2575/)
  expect(stdout).toMatch(/ADT\|GH -> ENG\|GH {3}2 messages \(2 ADT\^A08\).*acknowledged in 20\.\d ms \(median\)/)
  expect(stdout).toMatch(/ADT\^A08 +C1 +\d+ bytes +AA after 20\.\d ms/)
})

test('is a message that was sent again told apart?', async () => {
  const { stdout } = await inspect()
  expect(stdout).toMatch(/RIS\|GH -> ENG\|GH {3}2 messages \(2 ADT\^A08\).*sent again: 1/)
  expect(stdout.match(/R1 .*sent again/g)).toHaveLength(1)
})

test('are patients shown only to a reader who asks for them?', async () => {
  const plain = await inspect()
  expect(plain.stdout).toMatch(/patient [0-9a-v]{16}/)
  expect(plain.stdout).not.toMatch(/patient P1/)
  expect((await inspect('--show-phi')).stdout).toMatch(/patient P1/)
})

test('is one conversation shown alone, and a wrong id said to be one?', async () => {
  const id = /08:00:00Z {2}(\S+)/.exec((await inspect()).stdout)![1]!
  expect((await inspect('--flow', id)).stdout.match(/^DICOM/gm)).toHaveLength(1)
  const wrong = await inspect('--flow', 'nonsense')
  expect(wrong).toMatchObject({ code: 1, stdout: '' })
  expect(wrong.stderr).toBe('wardwire: no conversation nonsense in it: wardwire inspect FILE lists their ids\n')
})

test('is a conversation found by the Community ID that the configured seed gives it?', async () => {
  const config = join(folder, 'seeded.json')
  writeFileSync(config, JSON.stringify({ community_id_seed: 7 }))
  const events = await wardwire(['replay', join(folder, 'day.pcap'), '--events', '-', '--alerts', '/dev/null', '--config', config], { env: { XDG_STATE_HOME: folder } })
  const flowOf = (wanted: string): string => (jsonLines(events.stdout).find(({ kind }) => kind === wanted) as { flow: { community_id: string } }).flow.community_id
  const association = flowOf('dicom.association')
  expect((await inspect('--flow', association)).code).toBe(1)
  expect((await inspect('--flow', association, '--config', config)).stdout.match(/^DICOM/gm)).toHaveLength(1)
  expect((await inspect('--message', 'C1', '--show-phi', '--flow', flowOf('hl7.message'), '--config', config)).stdout.match(/^HL7/gm)).toHaveLength(1)
})

test('is a conversation that says nothing medical told apart from a wrong id?', async () => {
  const file = join(import.meta.dirname, '../../fixtures/cases/http-on-the-dicom-port.pcap')
  const events = await wardwire(['replay', file, '--events', '-', '--alerts', '/dev/null'])
  const { flow } = jsonLines(events.stdout).find(({ kind }) => kind === 'flow') as { flow: { id: string } }
  const silent = await wardwire(['inspect', file, '--flow', flow.id])
  expect(silent).toMatchObject({ code: 1, stdout: '' })
  expect(silent.stderr).toBe(`wardwire: conversation ${flow.id} holds no DICOM, HL7 or TLS: wardwire replay FILE --events - has its addresses, bytes and packets\n`)
})

test('is a whole HL7 message shown field by field, with its answer, to a reader who says that it is patient data?', async () => {
  const refused = await inspect('--message', 'C1')
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toMatch(/--message wants --show-phi/)
  const { code, stdout } = await inspect('--message', 'C1', '--show-phi')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^HL7 {2}10\.9\.2\.31:\d+ -> 10\.9\.0\.40:2575 {2}2026-02-02T08:02:00Z {2}from the client, \d+ bytes\n {2}MSH\n/)
  expect(stdout).toMatch(/^ {4}MSH-1 +\|$/m)
  expect(stdout).toMatch(/^ {4}MSH-9\.2 +A08$/m)
  expect(stdout).toMatch(/^ {2}PID\n {4}PID-1 +1\n {4}PID-3 +P1$/m)
  expect(stdout.match(/^HL7/gm)).toHaveLength(1)
  const wrong = await inspect('--message', 'nobody', '--show-phi')
  expect(wrong).toMatchObject({ code: 1, stdout: '' })
  expect(wrong.stderr).toBe('wardwire: no HL7 message nobody in it: wardwire inspect FILE lists control ids\n')
  const elsewhere = await inspect('--message', 'C1', '--flow', 'nonsense', '--show-phi')
  expect(elsewhere).toMatchObject({ code: 1, stdout: '' })
  expect(elsewhere.stderr).toMatch(/no HL7 message C1 in conversation nonsense: /)
})

test('does an AE title command the terminal?', async () => {
  const { stdout } = await inspect()
  expect(stdout).not.toContain('\x1b')
  expect(stdout).toContain('EVIL')
})
