/** DICOMweb (PS3.18): are searches, retrievals and stores over HTTP/1.1 told as the same operations, whatever way they are cut? */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { bytes } from '../../../fixtures/build/bytes.ts'
import { BOUNDARY, MULTIPART, http, multipart, part10 } from '../../../fixtures/build/web.ts'
import { CT_IMAGE, DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE } from '../../../protocols/dicom/uids.ts'
import { Multipart } from '../../../protocols/dicom/web/multipart.ts'
import { webRequest } from '../../../protocols/dicom/web/resource.ts'
import type { DicomOperation, Violation } from '../../../protocols/events.ts'
import { LIMITS } from '../../../protocols/limits.ts'
import { cut, decode, frames, segments, type Turns } from '../contract/wire.ts'
import { scan } from './conversations.ts'
import { names, only } from './harness.ts'

const STUDY = '1.2.9'
const file = (n: number, options = {}): Uint8Array => part10({ class: CT_IMAGE, instance: `1.2.9.${n}` }, scan(n, 300), options)
const OK_JSON = { 'Content-Type': 'application/dicom+json' }
const stow = (parts: readonly Uint8Array[], status = 'HTTP/1.1 200 OK'): Turns => [
  [0, http('POST /dicom-web/studies HTTP/1.1', { 'Content-Type': MULTIPART }, multipart(parts))], [1, http(status, OK_JSON, '{"00081190":{"vr":"UR"}}')],
]
const patients = (...ids: string[]): string => JSON.stringify(ids.map((id) => ({ '0020000D': { vr: 'UI', Value: ['1.2'] }, '00100020': { vr: 'LO', Value: [id] }, '00100010': { vr: 'PN', Value: [{ Alphabetic: 'A"\\B' }] } })))
const qido = (target: string, answer = patients('P1', 'P2', 'P1')): Turns => [[0, http(`GET ${target} HTTP/1.1`, { Host: 'pacs' })], [1, http('HTTP/1.1 200 OK', OK_JSON, answer)]]

const told = (turns: Turns, size = 0): DicomOperation[] => {
  const { decoder, events } = decode(frames(segments(turns, size === 0 ? undefined : (b) => cut(b, size))))
  expect(decoder.application.fault).toBeNull()
  return events.filter((e): e is DicomOperation => e.kind === 'dicom.operation')
}

describe('a store', () => {
  test('does STOW-RS tell study, patient, device, instances and bytes, as a C-STORE does?', () => {
    const files = [file(1), file(2)]
    const event = only(told(stow(files)))
    expect(event).toMatchObject({
      transport: 'dicomweb', command: 'C-STORE', invoker: 'client', status: '0000', complete: true, sop_class_uid: CT_IMAGE, sop_instance_uid: '1.2.9.1',
      dataset: { bytes: files[0]!.length + files[1]!.length, transfer_syntax: EXPLICIT_LE, study_uid: STUDY, series_uid: '1.2.9.0', modality: 'CT', patient: names.patient('P100'), accession: names.order('A55'), station: 'ROOM 1' },
      web: { transaction: 'STOW-RS', http_status: 200, instances: 2, studies: [STUDY], preambles: {}, authorization: null },
    })
    expect(event.duration_ms).toBe(10)
  })

  test.each([IMPLICIT_LE, EXPLICIT_BE, DEFLATED_LE])('is an instance in %s read?', (syntax) => {
    expect(only(told(stow([file(1, { syntax })]))).dataset).toMatchObject({ study_uid: STUDY, modality: 'CT', transfer_syntax: syntax })
  })

  test.each([IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE])('is a file in %s read whose meta information does not say how long it is, however it is cut?', (syntax) => {
    const turns = stow([file(1, { syntax, groupLength: false })])
    for (const size of [0, 1, 7, 400]) {
      const event = only(told(turns, size))
      expect(event).toMatchObject({ sop_class_uid: CT_IMAGE, sop_instance_uid: '1.2.9.1', dataset: { study_uid: STUDY, modality: 'CT', transfer_syntax: syntax, patient: names.patient('P100') } })
    }
  })

  test('is meta information without an end given up?', () => {
    const endless = bytes(new Uint8Array(128), 'DICM', ...Array.from({ length: 300 }, () => bytes(2, 0, 0x16, 0, 'AE', 40, 0, new Uint8Array(40))))
    expect(only(told(stow([endless]))).web).toMatchObject({ instances: 1, studies: [] })
  })

  test('is what stands in the preamble looked at, where it is not zeros?', () => {
    const preamble = (text: string): Uint8Array => Uint8Array.from({ length: 128 }, (_, i) => text.charCodeAt(i) || 0)
    const { web } = only(told(stow([file(1, { preamble: preamble('MZ\x90\0') }), file(2), file(3, { preamble: preamble('II*\0') })])))
    expect(web!.preambles).toEqual({ 'windows executable': 1, tiff: 1 })
  })

  test('is a program in the pixels of a stored instance found, as in a C-STORE?', () => {
    const elf = bytes('\x7fELF\x02\x01\x01', new Uint8Array(500))
    const holding = scan(1).map((e) => (e.tag === 0x7fe00010 ? { ...e, value: elf } : e))
    const [store] = told(stow([part10({ class: CT_IMAGE, instance: '1.2.9.1' }, holding), file(2)]))
    expect(store!.dataset!.documents).toMatchObject([{ element: 'PixelData', content: 'elf executable' }])
  })

  test('are failures told as such?', () => {
    expect(only(told(stow([file(1)], 'HTTP/1.1 202 Accepted')))).toMatchObject({ status: 'B000', web: { http_status: 202 } })
    expect(only(told(stow([file(1)], 'HTTP/1.1 403 Forbidden')))).toMatchObject({ status: '0124' })
    expect(only(told(stow([file(1)], 'HTTP/1.1 500 Oh')))).toMatchObject({ status: 'C000' })
  })

  test('is one whose answer is not seen whole, but without status?', () => {
    expect(only(told(stow([file(1)]).slice(0, 1)))).toMatchObject({ status: null, complete: true, duration_ms: null })
  })
})

describe('a search', () => {
  test('does QIDO-RS tell level, keys, ranges, matches and patients, as a C-FIND does?', () => {
    const event = only(told(qido('/dicom-web/studies?StudyDate=20260101-20260131&00100020=P1&ModalitiesInStudy=CT&includefield=all&limit=100')))
    expect(event).toMatchObject({
      command: 'C-FIND', status: '0000', complete: true, dataset: { patient: names.patient('P1') },
      query: { level: 'STUDY', keys: ['StudyDate', 'PatientID', 'ModalitiesInStudy'], ranges: ['StudyDate'], wildcard: false, matches: 3, patients: 2 }, web: { transaction: 'QIDO-RS', resource: 'studies' },
    })
    expect(JSON.stringify(event)).not.toMatch(/"P1"/)
  })

  test('are wildcards, and searches for nothing in particular, seen as such?', () => {
    expect(only(told(qido('/dicom-web/studies?PatientName=A*'))).query).toMatchObject({ keys: ['PatientName'], wildcard: true })
    expect(only(told(qido('/dicom-web/studies?PatientName=*'))).query).toMatchObject({ keys: [], wildcard: true })
    expect(only(told(qido('/dicom-web/studies?limit=10'))).query).toMatchObject({ keys: [], wildcard: true })
    expect(only(told(qido('/dicom-web/studies/1.2.9/series'))).query).toMatchObject({ level: 'SERIES', keys: ['StudyInstanceUID'], wildcard: false })
  })

  test('has an answer without content no matches?', () => {
    expect(only(told([qido('/dicom-web/studies?PatientID=X')[0]!, [1, http('HTTP/1.1 204 No Content')]]))).toMatchObject({ status: '0000', query: { matches: 0 } })
  })

  test.each([['gzip', gzipSync], ['deflate', deflateSync], ['br', brotliCompressSync]] as const)('is an answer in %s read, as browsers ask for them?', (encoding, compress) => {
    const answer = (b: Uint8Array): DicomOperation => only(told([qido('/dicom-web/studies?PatientID=P1')[0]!, [1, http('HTTP/1.1 200 OK', { ...OK_JSON, 'Content-Encoding': encoding }, b)]]))
    const compressed = new Uint8Array(compress(patients('P1', 'P2')))
    expect(answer(compressed)).toMatchObject({ complete: true, query: { matches: 2, patients: 2 } })
    expect(answer(compressed.subarray(0, -9))).toMatchObject({ complete: false, query: { matches: 0 } })
    expect(answer(new Uint8Array(compress(new Uint8Array(LIMITS.dicom.decodedBytes + 1))))).toMatchObject({ complete: false })
  })

  test('does broken JSON ever throw, or count below nothing?', () => {
    fc.assert(fc.property(fc.stringMatching(/^[[\]{}",:\\a0-9]{0,60}$/), (text) => {
      expect(only(told(qido('/dicom-web/studies?PatientID=X', text))).query!.matches).toBeGreaterThanOrEqual(0)
    }), { numRuns: 100 })
  })
})

describe('a retrieval', () => {
  const wado = (answer: Uint8Array, target = '/dicom-web/studies/1.2.9'): Turns => [[0, http(`GET ${target} HTTP/1.1`, { Authorization: 'Basic c2VjcmV0OnBhc3M=' })], [1, answer]]

  test('does WADO-RS tell what came back, in parts or alone, with a length or in chunks?', () => {
    const files = [file(1), file(2), file(3)]
    for (const chunk of [0, 7, 1000]) {
      const event = only(told(wado(http('HTTP/1.1 200 OK', { 'Content-Type': MULTIPART }, multipart(files), { chunk }))))
      expect(event).toMatchObject({
        command: 'C-GET', status: '0000', complete: true, query: { level: 'STUDY', keys: ['StudyInstanceUID'] }, move: { completed: 3 },
        dataset: { bytes: files.reduce((sum, f) => sum + f.length, 0), study_uid: STUDY, patient: names.patient('P100') }, web: { transaction: 'WADO-RS', resource: 'study', instances: 3, authorization: 'Basic' },
      })
      expect(JSON.stringify(event)).not.toContain('c2VjcmV0')
    }
    expect(only(told(wado(http('HTTP/1.1 200 OK', { 'Content-Type': 'application/dicom' }, file(1)), '/wado?requestType=WADO&studyUID=1.2.9&seriesUID=1.2.9.0&objectUID=1.2.9.1'))))
      .toMatchObject({ web: { transaction: 'WADO-URI', instances: 1 }, dataset: { modality: 'CT' } })
    expect(only(told(wado(http('HTTP/1.1 200 OK', OK_JSON, patients('P1', 'P2')), '/dicom-web/studies/1.2.9/metadata')))).toMatchObject({ web: { resource: 'metadata', instances: 2 } })
    expect(only(told(wado(http('HTTP/1.1 200 OK', { 'Content-Type': 'image/jpeg' }, 'x'.repeat(500)), '/dicom-web/studies/1.2.9/series/1.2/instances/1.3/rendered'))))
      .toMatchObject({ dataset: { bytes: 500 }, web: { resource: 'rendered', instances: 1 } })
  })

  test('is one that is cut off incomplete?', () => {
    const [request, answered] = wado(http('HTTP/1.1 200 OK', { 'Content-Type': MULTIPART }, multipart([file(1), file(2)])))
    expect(only(told([request!, [1, answered![1].subarray(0, -500)]]))).toMatchObject({ complete: false, status: '0000' })
  })
})

describe('a DICOM file by a request that is none of PS3.18\'s', () => {
  const answer = http('HTTP/1.1 200 OK', { 'Content-Type': 'application/dicom' }, file(1))
  const get = (target: string): Turns => [[0, http(`GET ${target} HTTP/1.1`, { Host: 'pacs', Authorization: 'Basic c2VjcmV0OnBhc3M=' })], [1, answer]]
  const page: Turns = [[0, http('GET /index.html HTTP/1.1', { Host: 'pacs' })], [1, http('HTTP/1.1 200 OK', { 'Content-Type': 'text/html' }, '<html>')]]

  test.each(['/exam/IM000001.dcm', '/instances/6e2c0a1f/file'])('is what GET %s brings back a retrieval, whatever came before on the connection, and however it is cut?', (target) => {
    for (const size of [0, 1, 7, 300]) {
      expect(told([...page, ...get(target)], size), `${size}`).toMatchObject([{
        command: 'C-GET', invoker: 'client', status: '0000', complete: true, sop_class_uid: CT_IMAGE, move: { completed: 1 },
        dataset: { study_uid: STUDY, patient: names.patient('P100'), bytes: file(1).length }, web: { transaction: 'download', instances: 1 },
      }])
    }
    expect(told([...page, ...get(target), ...get(target), ...page]).map(({ command }) => command)).toEqual(['C-GET', 'C-GET'])
  })

  test('is the scheme of its authorization told, and nothing more of it?', () => {
    const [, second] = told([...get('/exam/1.dcm'), ...get('/exam/2.dcm')])
    expect(second!.web!.authorization).toBe('Basic')
    expect(JSON.stringify(second)).not.toContain('c2VjcmV0')
  })

  test('is one that is sent a store?', () => {
    const turns: Turns = [[0, http('PUT /inbox/IM000001.dcm HTTP/1.1', { 'Content-Type': 'application/dicom' }, file(1))], [1, http('HTTP/1.1 201 Created', {}, '')]]
    expect(only(told(turns))).toMatchObject({ command: 'C-STORE', dataset: { study_uid: STUDY }, web: { transaction: 'upload', instances: 1 } })
  })

  test('is an error none, nor what says that it is something else, nor a look at its head?', () => {
    expect(told([...get('/exam/1.dcm'), [0, http('HEAD /exam/1.dcm HTTP/1.1', {})], [1, http('HTTP/1.1 200 OK', { 'Content-Type': 'application/dicom' }, '')], ...get('/exam/1.dcm')]).map(({ dataset }) => dataset!.bytes)).toEqual([file(1).length, file(1).length])
    expect(told([[0, http('GET /exam/1.dcm HTTP/1.1', {})], [1, http('HTTP/1.1 404 Not Found', { 'Content-Type': 'application/dicom' }, '')]])).toEqual([])
    expect(told([[0, http('GET /exam/1.dcm HTTP/1.1', {})], [1, http('HTTP/1.1 200 OK', { 'Content-Type': 'application/pdf' }, '%PDF')]])).toEqual([])
  })
})

describe('a connection', () => {
  const many: Turns = [...qido('/dicom-web/studies?PatientID=P1'), ...stow([file(1), file(2)]), ...qido('/dicom-web/studies/1.2.9/series')]

  test('does cutting anywhere change nothing?', () => {
    const whole = told(many)
    expect(whole.map((o) => o.command)).toEqual(['C-FIND', 'C-STORE', 'C-FIND'])
    const plain = (list: DicomOperation[]): unknown[] => list.map(({ flow: _, ...rest }) => rest)
    for (const size of [1, 2, 3, 7, 41, 300, 1460]) expect(plain(told(many, size)), `${size}`).toEqual(plain(whole))
  })

  test('is DICOMweb found behind other requests of the same connection, and paired in spite of them?', () => {
    const page: Turns = [[0, http('GET /index.html HTTP/1.1', { Host: 'pacs' })], [1, http('HTTP/1.1 200 OK', { 'Content-Type': 'text/html' }, '<html>')]]
    expect(told([...page, ...many, ...page, ...qido('/dicom-web/studies?PatientID=P2')]).map((o) => [o.command, o.status])).toEqual([['C-FIND', '0000'], ['C-STORE', '0000'], ['C-FIND', '0000'], ['C-FIND', '0000']])
    expect(told(page)).toEqual([])
  })

  const FRAMES = bytes(0, 0, 18, 4, 0, 0, 0, 0, 0, Uint8Array.from({ length: 400 }, (_, i) => (i * 31) & 0xff))
  const PREFACE = bytes('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', FRAMES)

  test('is HTTP/2 in the clear nobody\'s: its bytes counted, nothing claimed, nobody accused?', () => {
    const { events } = decode(frames(segments([[0, PREFACE], [1, FRAMES], [0, FRAMES]])))
    expect(events.map((e) => e.kind)).toEqual(['flow', 'capture'])
    expect(events[0]).toMatchObject({ protocol: null, bytes: { client: PREFACE.length + FRAMES.length, server: FRAMES.length } })
  })

  test('is a search that goes over to HTTP/2 one without an answer?', () => {
    const upgrade = http('GET /dicom-web/studies?PatientID=P1 HTTP/1.1', { Host: 'pacs', Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABk' })
    const { events } = decode(frames(segments([[0, upgrade], [1, bytes('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n', FRAMES)], [0, PREFACE], [1, FRAMES]])))
    expect(events.filter((e) => e.kind === 'dicom.operation')).toMatchObject([{ command: 'C-FIND', status: null, query: { keys: ['PatientID'] } }])
    expect(events.filter((e) => e.kind === 'violation')).toEqual([])
  })

  test('are requests sent ahead answered in order?', () => {
    const [a, b] = [qido('/dicom-web/studies?PatientID=P1'), qido('/dicom-web/series?Modality=CT', '[]')]
    expect(told([[0, bytes(a[0]![1], b[0]![1])], [1, bytes(a[1]![1], b[1]![1])]]).map((o) => o.query!.matches)).toEqual([3, 0])
  })

  test('does a loss anywhere accuse nobody, and claim nothing whole that is not?', () => {
    const parts = segments(many, (b) => cut(b, 200), 150_000)
    const bytesOf = (o: DicomOperation): number => o.dataset!.bytes
    const whole = told(many)
    parts.forEach((_, i) => {
      const { events } = decode(frames(parts.filter((__, j) => j !== i), { of: many }))
      expect(events.filter((e): e is Violation => e.kind === 'violation')).toEqual([])
      for (const o of events) if (o.kind === 'dicom.operation' && o.complete && o.command === 'C-STORE') expect(bytesOf(o), `without segment ${i}`).toBe(bytesOf(whole[1]!))
    })
  })
})

describe('what is asked for', () => {
  const of = (line: string, fields = ''): ReturnType<typeof webRequest> => {
    const [method, target] = line.split(' ')
    return webRequest({ method: method!, target: target!, type: '', text: `x\r\n${fields}` })
  }

  test.each([
    ['GET /dicom-web/studies', 'QIDO-RS', 'studies'], ['GET /studies/1.2.3/series', 'QIDO-RS', 'series'], ['GET http://pacs:8042/dicom-web/instances?limit=1', 'QIDO-RS', 'instances'],
    ['GET /dcm4chee-arc/aets/DCM/rs/studies/1.2', 'WADO-RS', 'study'], ['GET /api/studies/1.2/series/1.3/instances/1.4/frames/1,2', 'WADO-RS', 'frames'], ['POST /studies/1.2', 'STOW-RS', 'studies'],
    ['GET /?requestType=WADO&studyUID=1&seriesUID=2&objectUID=3', 'WADO-URI', 'instance'],
  ])('is %s %s of %s?', (line, transaction, resource) => {
    expect(of(line)).toMatchObject({ transaction, resource })
  })

  test.each(['GET /studies', 'GET /studies/overview', 'POST /studies', 'GET /series/7', 'GET /dicom-web/nothing', 'DELETE /dicom-web/studies/1.2.3', 'GET /dicom-web/workitems/1.2.3', 'POST /dicom-web/workitems?1.2.3', 'GET /%', 'GET /studies/1.2/%zz%'])('is %s none of DICOMweb\'s, or not without more, and no fault?', (line) => {
    expect(() => of(line)).not.toThrow()
    expect(of(line)?.transaction === 'QIDO-RS' || of(line)?.transaction === 'STOW-RS').toBe(false)
  })

  test('does a plain path become one by what the client accepts?', () => {
    expect(of('GET /studies', 'Accept: application/dicom+json\r\n')).toMatchObject({ transaction: 'QIDO-RS' })
  })

  test('does dcm4chee\'s path tell the title that is called?', () => {
    expect(of('GET /dcm4chee-arc/aets/DCM4CHEE/rs/studies')!.aet).toBe('DCM4CHEE')
  })
})

describe('a multipart body', () => {
  const read = (b: Uint8Array, cuts: readonly number[], boundary = BOUNDARY): string[] => {
    const parts: string[] = []
    const multipartReader = new Multipart(boundary, {
      part: (type) => { parts.push(`${type}:`) },
      data: (d, start, end) => { parts.push(parts.pop()! + Buffer.from(d.subarray(start, end)).toString('latin1')) },
      partEnd: (isWhole) => { if (!isWhole) parts.push(`${parts.pop()!}...`) },
    })
    let from = 0
    for (const to of [...cuts, b.length]) {
      multipartReader.feed(b, from, to)
      from = to
    }
    multipartReader.end()
    return parts
  }
  const latin1 = fc.array(fc.oneof(fc.constantFrom(...`\r\n--${BOUNDARY}`), fc.nat(255).map((c) => String.fromCharCode(c))), { maxLength: 60 }).map((list) => list.join(''))

  test('does whatever is built come back, cut anywhere, also where it looks like a delimiter?', () => {
    fc.assert(fc.property(fc.array(latin1.filter((text) => !`${text}\r`.includes(`\r\n--${BOUNDARY}`)), { maxLength: 4 }), fc.integer({ min: 1, max: 30 }), (texts, size) => {
      const b = multipart(texts.map((text) => Uint8Array.from(Buffer.from(text, 'latin1'))), 'a/b')
      const expected = texts.map((text) => `a/b:${text}`)
      expect(read(b, [])).toEqual(expected)
      expect(read(b, Array.from({ length: Math.floor(b.length / size) }, (_, i) => (i + 1) * size))).toEqual(expected)
    }), { numRuns: 300 })
  })

  test('does any other content ever throw?', () => {
    fc.assert(fc.property(latin1, fc.nat(20), (text, at) => {
      const b = Uint8Array.from(Buffer.from(text, 'latin1'))
      expect(read(b, [Math.min(at, b.length)])).toEqual(read(b, []))
    }), { numRuns: 300 })
  })
})
