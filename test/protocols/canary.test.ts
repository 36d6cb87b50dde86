/**
 * Every way by which patient data comes to the decoder beside data sets and PID (`test/canary.test.ts` has those, and all outputs): targets and fields of
 * HTTP, batch and query segments, free text of headers and acknowledgements, rubbish between messages, credentials. None of it is in any event.
 */
import { describe, expect, test } from 'vitest'
import { Conversation, LINUX } from '../../fixtures/build/conversation.ts'
import { associateAc, associateRq, dataSet, el, message, request, response, sq, type Element } from '../../fixtures/build/dicom.ts'
import { concat, encode, frame } from '../../fixtures/build/hl7.ts'
import { Random } from '../../fixtures/build/random.ts'
import { Timeline } from '../../fixtures/build/timeline.ts'
import { http, MULTIPART, multipart, part10 } from '../../fixtures/build/web.ts'
import { CT_IMAGE_STORAGE, EXPLICIT_LE, START, scan } from '../src/small-hospital.ts'
import { decode } from './contract/wire.ts'

const client = { ip: '10.9.1.11', mac: '02:00:00:00:01:11', stack: LINUX }
const server = { ip: '10.9.0.20', mac: '02:00:00:00:00:20', stack: LINUX }
type Turn = readonly ['client' | 'server', Uint8Array]

/** Values that must be nowhere: each ends in a word that names it. */
const CANARY = /KANARI[A-Z0-9]*|S0FOQVJ|19010203/gi

function events(serverPort: number, turns: readonly Turn[]): { kinds: string[]; text: string } {
  const timeline = new Timeline()
  const talk = new Conversation(timeline, { client, server, clientPort: 40_000, serverPort, at: START, random: new Random('canary') }).open()
  for (const [side, bytes] of turns) talk.send(side, bytes).wait(20_000)
  talk.close('client')
  const { events: found, decoder } = decode(timeline.drain())
  return { kinds: found.map(({ kind }) => kind), text: JSON.stringify([found, decoder.dropped()]) }
}

const FIELDS = { 'User-Agent': 'KANARIAGENT', Referer: 'http://pacs/?PatientID=KANARIREFERER', Cookie: 'patient=KANARICOOKIE', Authorization: 'Basic S0FOQVJJOktBTkFSSQ==', Accept: 'application/dicom+json' }
const OK = http('HTTP/1.1 200 OK', { 'Content-Type': 'application/dicom+json', 'X-Patient': 'KANARIANSWER' },
  '[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"KANARIJSON","Ideographic":"KANARIIDEO"}]},"00100020":{"vr":"LO","Value":["KANARIJSONID"]},"KANARIKEY":{"vr":"LO","Value":["x"]}}]')
const get = (target: string): Turn[] => [['client', http(`GET ${target} HTTP/1.1`, FIELDS)], ['server', OK]]

const PRIVATE: Element[] = [
  el(0x00090010, 'LO', 'KANARIBLOCK'), el(0x00091010, 'LO', 'KANARIPRIVATE'), el(0x00100010, 'PN', 'KANARIPN^X=KANARIIDEO^Y=KANARIPHON^Z'), el(0x00100020, 'LO', 'KANARIID'),
  el(0x00100021, 'LO', 'KANARIISSUER'), el(0x00100030, 'DA', '19010203'), sq(0x00101002, [[el(0x00100020, 'LO', 'KANARIOTHER')]]), el(0x00104000, 'LT', 'KANARICOMMENT'),
]
const image = [...scan(1).filter((e) => !PRIVATE.some((p) => p.tag === e.tag)), ...PRIVATE].sort((a, b) => a.tag - b.tag)
const SOP = { class: CT_IMAGE_STORAGE, instance: '1.2.3.4.5.1' }

const MSH = 'MSH|^~\\&|ADT|GH|ENG|GH|20260202080000|KANARIMSH8|ADT^A08^ADT_A01|CTRL1|P|2.5.1|||||||||'
const mllp = (text: string): Turn => ['client', frame(text)]
const refused = (of: string): Turn => ['server', frame(`MSH|^~\\&|ENG|GH|ADT|GH|20260202080000||ACK|A1|P|2.5.1\rMSA|AE|${of}|KANARIMSA3|||KANARIMSA6\rERR|PID^1^3^101&KANARIERR1|PID^1^3|204^KANARIERR3^HL70357|E||KANARIERR6|KANARIERR7|KANARIERR8\r`)]

const WAYS: Record<string, { port: number; expects: string; turns: readonly Turn[] }> = {
  'a search by patient in a DICOMweb target': { port: 80, expects: 'dicom.operation', turns: get('/dicom-web/studies?PatientID=KANARIQIDO&PatientName=KANARINAME*&00100030=19010203&OtherPatientIDs=KANARIOTHER&includefield=KANARIFIELD&KANARIPARAM=1') },
  'a search that is percent-encoded': { port: 80, expects: 'dicom.operation', turns: get('/dicom-web/studies?PatientName=%4BANARI%5ENAME&AccessionNumber=KANARIACC&StudyDescription=KANARIDESC') },
  'a path with a patient in it': { port: 80, expects: 'flow', turns: [...get('/dicom-web/patients/KANARIPATH/studies/1.2.3'), ...get('/dicom-web/studies/KANARIUID'), ...get('/dicom-web/studies/1.2.3/KANARIREST')] },
  'WADO by URI': { port: 80, expects: 'dicom.operation', turns: get('/wado?requestType=WADO&studyUID=1.2.3&seriesUID=1.2.3.1&objectUID=1.2.3.1.1&annotation=KANARIANNOT&patientID=KANARIWADO') },
  'instances stored over the web': { port: 80, expects: 'dicom.operation', turns: [['client', http('POST /dicom-web/studies HTTP/1.1', { ...FIELDS, 'Content-Type': MULTIPART }, multipart([part10(SOP, image)]))], ['server', OK]] },
  'an image with private elements, names in three scripts, and a user': {
    port: 104, expects: 'dicom.operation', turns: [
      ['client', associateRq({ calling: 'CT1', called: 'PACS', contexts: [{ id: 1, abstract: CT_IMAGE_STORAGE, transfers: [EXPLICIT_LE] }], user: { identity: { type: 2, primary: 'KANARIUSER', secondary: 'KANARIPASS' } } })],
      ['server', associateAc({ calling: 'CT1', called: 'PACS', contexts: [{ id: 1, result: 0, transfer: EXPLICIT_LE }] })],
      ['client', message(1, request('C-STORE', 1, SOP, {}, true), dataSet(image, EXPLICIT_LE))],
      ['server', message(1, response('C-STORE', 1, 0xA700, SOP))],
    ],
  },
  'security, continuation and text of HL7 headers, acknowledgements and errors': { port: 2575, expects: 'hl7.message', turns: [mllp(`${MSH}\rPID|1||KANARIPID3||KANARIPID5\rNK1|1|KANARINK1\rIN1|1|P|||KANARIIN1\rERR|||KANARIERR\r`), refused('CTRL1')] },
  'text where HL7 has codes': { port: 2575, expects: 'hl7.message', turns: [
    mllp('MSH|^~\\&|ADT|GH|ENG|GH|KANARI time||ORU^R01 KANARI^KANARI SMITH JOHN|CTRL1|P KANARI|2.5 KANARI|||KANARI AL|KANARI NE||KANARI SET\rPID|1||P1\rOBR|1|||KANARI FREE TEXT^x\r'
      + 'OBX|1|ED|X||KANARI APP^KANARI SUB TYPE^KANARI^Base64^JVBERi0xLjQKJcOkw7zDtsOf\rQPD|KANARI QPD NAME^x\r'),
    ['server', frame('MSH|^~\\&|ENG|GH|ADT|GH|20260202080000||ACK|A1|P|2.5.1\rMSA|patient KANARI unknown|CTRL1\r')],
  ] },
  'batch headers and trailers': { port: 2575, expects: 'hl7.message', turns: [mllp(`FHS|^~\\&|ADT|GH|ENG|GH|20260202|KANARIFHS8|KANARIFHS9|KANARIFHS10|KANARIFHS11|KANARIFHS12\rBHS|^~\\&|ADT|GH|ENG|GH|20260202|KANARIBHS8|KANARIBHS9|KANARIBHS10\r${MSH}\rPID|1||KANARIPID3\rBTS|1|KANARIBTS2\rFTS|1|KANARIFTS2\r`)] },
  'queries': { port: 2575, expects: 'hl7.message', turns: [
    mllp(`${MSH.replace('ADT^A08^ADT_A01', 'QBP^Q22^QBP_Q21')}\rQPD|Q22^KANARIQPD1|KANARITAG|@PID.3.1^KANARIQID~@PID.5.1^KANARIQNAME|KANARIQ4\rRCP|I\r`), refused('CTRL1'),
    mllp(`${MSH.replace('ADT^A08^ADT_A01', 'QRY^A19').replace('CTRL1', 'CTRL2')}\rQRD|20260202|R|I|KANARIQRD4|||5^RD|KANARIWHO^KANARIWHO2|DEM|KANARIQRD10\r`),
  ] },
  'HL7 in an HTTP body, with a patient in the target': { port: 80, expects: 'hl7.message', turns: [['client', http('POST /hl7/KANARITARGET?patient=KANARIQUERY HTTP/1.1', { ...FIELDS, 'Content-Type': 'x-application/hl7-v2+er7' }, `${MSH}\rPID|1||KANARIPID3\r`)], ['server', http('HTTP/1.1 200 OK', {}, 'KANARIBODY')]] },
  'rubbish between and within messages': { port: 2575, expects: 'hl7.message', turns: [
    mllp(`${MSH}\rPID|1||KANARIPID3\r`), ['client', encode('KANARIRUBBISH in front of a block\r\n')], mllp('KANARIFOREIGN in a block, and no header'),
    mllp(`${MSH.replace('CTRL1', 'CTRL3')}\rKANARISEGMENT|1\rkanarilower|1\rPID|1||KANARIPID3\r`), ['client', concat(frame(`${MSH.replace('CTRL1', 'CTRL4')}\rPID|1||KANARICUT`).slice(0, -2))],
  ] },
}

describe('patient data', () => {
  test.each(Object.entries(WAYS))('is nothing of %s in any event?', (_way, { port, expects, turns }) => {
    const { kinds, text } = events(port, turns)
    expect(kinds).toContain(expects)
    expect(text.match(CANARY) ?? []).toEqual([])
  })
})
