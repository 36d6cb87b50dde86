/** Small captures for tests of the whole program: one modality, one archive, one HL7 feed. */
import { Conversation, LINUX, WINDOWS_7 } from '../../fixtures/build/conversation.ts'
import { associateAc, associateRq, dataSet, echoRq, echoRsp, image, message, releaseRp, releaseRq, request, response, type Element } from '../../fixtures/build/dicom.ts'
import { acknowledgement, frame } from '../../fixtures/build/hl7.ts'
import { pcapFile } from '../../fixtures/build/pcap-writer.ts'
import { Random } from '../../fixtures/build/random.ts'
import { Timeline } from '../../fixtures/build/timeline.ts'

export const EXPLICIT_LE = '1.2.840.10008.1.2.1'
export const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2'
export const STUDY_ROOT_FIND = '1.2.840.10008.5.1.4.1.2.2.1'
const VERIFICATION = '1.2.840.10008.1.1'
export const START = Date.UTC(2026, 1, 2, 8) * 1000

export const scanner = { ip: '10.9.1.11', mac: '02:00:00:00:01:11', stack: WINDOWS_7 }
export const archive = { ip: '10.9.0.20', mac: '02:00:00:00:00:20', stack: LINUX }
/** An archive that nobody declared, on the Internet. */
export const OUTSIDE = { ip: '203.0.113.9', mac: '02:00:00:00:00:99', stack: LINUX }
const admission = { ip: '10.9.2.31', mac: '02:00:00:00:02:31', stack: LINUX }
const engine = { ip: '10.9.0.40', mac: '02:00:00:00:00:40', stack: LINUX }

export class SmallHospital {
  readonly timeline = new Timeline()
  readonly #random = new Random('small hospital')
  #port = 40_000

  #talk(client: typeof scanner, server: typeof scanner, serverPort: number, at: number): Conversation {
    return new Conversation(this.timeline, { client, server, clientPort: this.#port++, serverPort, at, random: this.#random }).open()
  }

  /** One association that verifies, stores and queries. */
  association(at: number, elements: Element[], query: Element[] = [], callingAe = 'CT1', server = archive, client = scanner): this {
    const ae = { calling: callingAe, called: 'PACS' }
    const contexts = [[1, VERIFICATION], [3, CT_IMAGE_STORAGE], [5, STUDY_ROOT_FIND]] as const
    const store = { class: CT_IMAGE_STORAGE, instance: '1.2.3.4.5' }
    const identifier = dataSet(query, EXPLICIT_LE)
    this.#talk(client, server, 104, at)
      .send('client', associateRq({ ...ae, contexts: contexts.map(([id, abstract]) => ({ id, abstract, transfers: [EXPLICIT_LE] })) }))
      .send('server', associateAc({ ...ae, contexts: contexts.map(([id]) => ({ id, result: 0, transfer: EXPLICIT_LE })) }))
      .send('client', message(1, echoRq(1))).send('server', message(1, echoRsp(1)))
      .send('client', message(3, request('C-STORE', 2, store, {}, true), dataSet(elements, EXPLICIT_LE)))
      .send('server', message(3, response('C-STORE', 2, 0, store)))
      .send('client', message(5, request('C-FIND', 3, { class: STUDY_ROOT_FIND }, {}, true), identifier))
      .send('server', message(5, response('C-FIND', 3, 0xff00, { class: STUDY_ROOT_FIND }, {}, true), identifier))
      .send('server', message(5, response('C-FIND', 3, 0, { class: STUDY_ROOT_FIND })))
      .send('client', releaseRq()).send('server', releaseRp())
      .close('client')
    return this
  }

  /** Messages over one MLLP connection, each acknowledged. */
  feed(at: number, messages: { text: string; controlId: string }[], error?: string): this {
    const talk = this.#talk(admission, engine, 2575, at)
    for (const { text, controlId } of messages) {
      talk.send('client', frame(text)).wait(20_000)
      const ack = error === undefined ? { code: 'AA', of: controlId } : { code: 'AE', of: controlId, text: error }
      talk.send('server', frame(acknowledgement({ controlId: `A${controlId}` }, ack))).wait(20_000)
    }
    talk.close('client')
    return this
  }

  /** One small conversation of something else: a hundred bytes there, and as many back. */
  call(at: number, server = OUTSIDE, port = 443, client = scanner): this {
    const talk = this.#talk(client, server, port, at)
    talk.send('client', new Uint8Array(100).fill(0x41)).send('server', new Uint8Array(100).fill(0x42)).close('client')
    return this
  }

  capture(): Uint8Array {
    return pcapFile(this.timeline.drain())
  }
}

export const scan = (n: number): Element[] => image({
  sopClass: CT_IMAGE_STORAGE, sopInstance: `1.2.3.4.5.${n}`, study: `1.2.3.4.${n}`, series: `1.2.3.4.${n}.1`, modality: 'CT', patientId: `P${n}`,
})

/** A few days of the same small life, some hours of each. */
export function ordinaryDays(days: number, hours = 4): Uint8Array {
  const hospital = new SmallHospital()
  for (let day = 0; day < days; day++) ordinaryDay(hospital, day, hours)
  return hospital.capture()
}

export function ordinaryDay(hospital: SmallHospital, day: number, hours = 4): void {
  for (let hour = 0; hour < hours; hour++) {
    const at = START + (day * 24 + hour) * 3600e6
    hospital.association(at, scan(day * 10 + hour))
    hospital.feed(at + 60e6, [{ text: `MSH|^~\\&|ADT|GH|ENG|GH|20260202080000||ADT^A08|C${day}${hour}|P|2.5.1\rPID|1||P${hour}\r`, controlId: `C${day}${hour}` }])
  }
}

/** So many associations a minute apart, then a title nobody knows, and studies to the Internet. */
export function smallTroubles(associations: number): Uint8Array {
  const hospital = new SmallHospital()
  const after = START + associations * 60e6
  for (let n = 0; n < associations; n++) hospital.association(START + n * 60e6, scan(n))
  hospital.association(after, scan(associations), [], 'ROGUE')
  for (let n = 1; n <= 20; n++) hospital.association(after + n * 10e6, scan(associations + n), [], 'CT1', OUTSIDE)
  return hospital.capture()
}

/** A day of 40 scanners that all send to an address on the Internet in the end: an alert for each, which grow. @param day the same, so many days later, to another address (of 25: what is new must come to an end) */
export function manyTroubles(day = 0): Uint8Array {
  const hospital = new SmallHospital()
  const outside = { ...OUTSIDE, ip: `203.0.113.${9 + day % 25}` }
  for (let n = 0; n < 1600; n++) {
    const at = START + day * 48 * 3600e6 + n * 60e6
    const k = n % 40
    const client = { ...scanner, ip: `10.9.1.${50 + k}`, mac: `02:00:00:00:02:${(16 + k).toString(16)}` }
    const isTrouble = n >= 400 && n % 7 === 0
    for (let i = 0; i < (isTrouble ? 3 : 1); i++) hospital.association(at + i * 5e6, scan(n), [], `CT${k}`, isTrouble ? outside : archive, client)
  }
  return hospital.capture()
}
