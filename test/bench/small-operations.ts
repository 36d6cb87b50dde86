/**
 * `npx tsx test/bench/small-operations.ts [--exchanges N] [--runs N] [--against DIRECTORY] [--bulk FILE]`: small DICOM operations through the decoder alone, and the
 * decoder beside an earlier one.
 *
 * Half of the exchanges are C-ECHO, half C-FIND with one match, on associations of 1,000, on a capture it makes itself. What counts is processor time
 * (user and system) of the whole process, so that a busy machine disturbs it little. `--against` names a checkout of another commit that is built
 * (`npm run build`); then both decode in turn, and the ratio of the medians is told, for the exchanges and for the capture of `--bulk`.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { associateAc, associateRq, dataSet, echoRq, echoRsp, el, message, releaseRp, releaseRq, request, response } from '../../fixtures/build/dicom.ts'
import { pcapHeader, pcapRecord } from '../../fixtures/build/pcap-writer.ts'
import { IMPLICIT_LE, STUDY_ROOT_FIND, VERIFICATION } from '../../protocols/dicom/uids.ts'
import { frames, segments, type Turns } from '../protocols/contract/wire.ts'

const root = resolve(import.meta.dirname, '../..')
const { values: options } = parseArgs({
  options: { exchanges: { type: 'string', default: '200000' }, runs: { type: 'string', default: '5' }, against: { type: 'string' }, bulk: { type: 'string' } },
})
const exchanges = Number(options.exchanges)
const PER_ASSOCIATION = 1000

/** One association: the same bytes each time but for the ports, so the capture is quickly made. */
function association(): Turns {
  const ends = { calling: 'READER', called: 'ARCHIVE', user: { maxLength: 16_384, implementationClass: '1.2.3.4', implementationVersion: 'BENCH_1' } }
  const sop = { class: STUDY_ROOT_FIND }
  const identifier = dataSet([el(0x00080052, 'CS', 'STUDY'), el(0x00080020, 'DA', '20260101-20260131'), el(0x00100020, 'LO', 'P100'), el(0x0020000d, 'UI', '')], IMPLICIT_LE)
  const match = dataSet([el(0x00080052, 'CS', 'STUDY'), el(0x00080020, 'DA', '20260105'), el(0x00100020, 'LO', 'P100'), el(0x0020000d, 'UI', '1.2.3.4')], IMPLICIT_LE)
  const one = (id: number): Turns => id % 2 === 0 ? [[0, message(1, echoRq(id))], [1, message(1, echoRsp(id))]] : [
    [0, message(3, request('C-FIND', id, sop, {}, true), identifier)], [1, message(3, response('C-FIND', id, 0xff00, sop, {}, true), match)], [1, message(3, response('C-FIND', id, 0, sop))],
  ]
  return [
    [0, associateRq({ ...ends, contexts: [{ id: 1, abstract: VERIFICATION, transfers: [IMPLICIT_LE] }, { id: 3, abstract: STUDY_ROOT_FIND, transfers: [IMPLICIT_LE] }] })],
    [1, associateAc({ ...ends, contexts: [{ id: 1, result: 0, transfer: IMPLICIT_LE }, { id: 3, result: 0, transfer: IMPLICIT_LE }] })],
    ...Array.from({ length: PER_ASSOCIATION }, (_, id) => one(id)).flat(),
    [0, releaseRq()], [1, releaseRp()],
  ]
}

function capture(): string {
  const folder = join(root, '.bench')
  const file = join(folder, `small-operations-${exchanges}.pcap`)
  if (existsSync(file)) return file
  mkdirSync(folder, { recursive: true })
  const parts = segments(association())
  const to = openSync(file, 'w')
  writeSync(to, pcapHeader())
  for (let i = 0; i < exchanges / PER_ASSOCIATION; i++) {
    writeSync(to, Buffer.concat(frames(parts, { ends: { clientPort: 10_000 + i } }).map((frame) => pcapRecord({ ...frame, at: frame.at + i * 60_000_000 }))))
  }
  closeSync(to)
  return file
}

/** Decodes a file and prints operations and processor time in microseconds. */
const DECODE = `
import { openSync, readSync } from 'node:fs'
const [{ CaptureReader, FRAME, END }, { Decoder }, { Pseudonyms }] = await Promise.all(['capture/reader', 'decoder', 'phi'].map((name) => import(process.argv[1] + name + '.js')))
let operations = 0
const decoder = new Decoder({ pseudonyms: new Pseudonyms(new Uint8Array(16)), emit: (event) => { if (event.kind === 'dicom.operation' && event.status !== null) operations++ } })
const reader = new CaptureReader()
const file = openSync(process.argv[2], 'r')
for (let step = reader.next(); step !== END; step = reader.next()) {
  if (step === FRAME) decoder.frame(reader)
  else {
    const count = readSync(file, reader.space())
    if (count === 0) reader.finish()
    else reader.filled(count)
  }
}
decoder.finish()
const { user, system } = process.cpuUsage()
console.log(operations, user + system)
`

interface Measured { operations: number; seconds: number }

function decode(checkout: string, file: string): Measured {
  const { stdout, stderr, status } = spawnSync('node', ['--input-type=module', '-e', DECODE, `file://${join(checkout, 'dist/protocols')}/`, file], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`decoding ended with ${status}: ${stderr.slice(-500)}`)
  const [operations, micros] = stdout.trim().split(' ').map(Number)
  return { operations: operations!, seconds: micros! / 1e6 }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!

function compare(title: string, file: string): void {
  const checkouts = [root, ...(options.against === undefined ? [] : [resolve(options.against)])]
  const measured = checkouts.map((): Measured[] => [])
  for (let i = 0; i < Number(options.runs); i++) checkouts.forEach((checkout, at) => measured[at]!.push(decode(checkout, file)))
  const [ours, theirs] = measured.map((of) => median(of.map((m) => m.seconds)))
  const { operations } = measured[0]![0]!
  console.log(`${title}: ${operations.toLocaleString('en')} operations in ${ours!.toFixed(2)} s of processor time, ${Math.round(operations / ours!).toLocaleString('en')} a second` +
    (theirs === undefined ? '' : `; time against the other checkout ${(ours! / theirs).toFixed(2)}`))
}

const build = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' })
if (build.status !== 0) process.exit(1)
compare('C-ECHO and C-FIND', capture())
if (options.bulk !== undefined) compare('bulk', options.bulk)
