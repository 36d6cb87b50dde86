/**
 * Captures for the benchmark, made as a stream, so that 10 GB need no disk: image transfers of many modalities at once, and interfaces full of small
 * messages. Deterministic. Headers are real (timestamps option, checksums), acknowledgements come for every second segment.
 */
import * as d from '../../fixtures/build/dicom.ts'
import * as h from '../../fixtures/build/hl7.ts'
import { ACK, FIN, PSH, SYN, checksum, ipBytes, macBytes, macOf } from '../../fixtures/build/frames.ts'
import { PCAP_HEADER_BYTES } from '../../protocols/capture/pcap.ts'
import { Random } from '../../fixtures/build/random.ts'

const START = Date.UTC(2026, 0, 5, 8) * 1000
/** Segment payload of Ethernet with the timestamps option. */
const MSS = 1448
const IP = 14
const TCP = 34
const PAYLOAD = 66
const CHUNK = 1 << 20

/** A pcap stream (microseconds, little endian, Ethernet) that is handed on in chunks. */
class PcapStream {
  #chunk = Buffer.allocUnsafe(CHUNK)
  #length = 0
  readonly #full: Buffer[] = []
  /** Capture time, microseconds. */
  at = START

  constructor() {
    const header = Buffer.alloc(PCAP_HEADER_BYTES)
    header.writeUInt32LE(0xA1B2C3D4, 0)
    header.writeUInt16LE(2, 4)
    header.writeUInt16LE(4, 6)
    header.writeUInt32LE(262_144, 16)
    header.writeUInt32LE(1, 20)
    this.#add(header)
  }

  /** Room for a frame of `length` bytes at the present time: where to write it. */
  record(length: number): { bytes: Buffer; at: number } {
    if (this.#length + 16 + length > CHUNK) this.#flush()
    const bytes = this.#chunk
    const start = this.#length
    bytes.writeUInt32LE(Math.floor(this.at / 1e6), start)
    bytes.writeUInt32LE(this.at % 1e6, start + 4)
    bytes.writeUInt32LE(length, start + 8)
    bytes.writeUInt32LE(length, start + 12)
    this.#length = start + 16 + length
    return { bytes, at: start + 16 }
  }

  /** What is full; with `all`, everything. */
  take(all = false): Buffer[] {
    if (all) this.#flush()
    return this.#full.splice(0)
  }

  #add(bytes: Buffer): void {
    this.#length += bytes.copy(this.#chunk, this.#length)
  }

  #flush(): void {
    this.#full.push(this.#chunk.subarray(0, this.#length))
    this.#chunk = Buffer.allocUnsafe(CHUNK)
    this.#length = 0
  }
}

/** One TCP connection. Side 0 is the client. */
class Link {
  readonly #pcap: PcapStream
  readonly #headers: Buffer[]
  /** Next sequence number of each side, and received bytes it has not acknowledged, in segments. */
  readonly #seq: [number, number]
  readonly #owed: [number, number] = [0, 0]
  #id = 0

  constructor(pcap: PcapStream, client: string, clientPort: number, server: string, serverPort: number, random: Random) {
    this.#pcap = pcap
    this.#headers = [header(client, clientPort, server, serverPort), header(server, serverPort, client, clientPort)]
    this.#seq = [random.bits(), random.bits()]
  }

  open(): void {
    this.#frame(0, SYN)
    this.#seq[0]++
    this.#frame(1, SYN | ACK)
    this.#seq[1]++
    this.#frame(0, ACK)
  }

  close(): void {
    this.#frame(0, FIN | ACK)
    this.#seq[0]++
    this.#frame(1, FIN | ACK)
    this.#seq[1]++
    this.#frame(0, ACK)
  }

  /** One segment; the peer acknowledges every second one that it has not answered with data. */
  segment(from: 0 | 1, bytes: Uint8Array, start: number, end: number): void {
    const peer = from === 0 ? 1 : 0
    this.#frame(from, end - start < MSS ? ACK | PSH : ACK, bytes, start, end)
    this.#seq[from] += end - start
    if (++this.#owed[peer] === 2) this.#frame(peer, ACK)
  }

  message(from: 0 | 1, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MSS) this.segment(from, bytes, at, Math.min(at + MSS, bytes.length))
  }

  #frame(from: 0 | 1, flags: number, payload?: Uint8Array, start = 0, end = 0): void {
    const length = end - start
    const { bytes, at } = this.#pcap.record(PAYLOAD + length)
    this.#headers[from]!.copy(bytes, at)
    if (payload) bytes.set(payload.subarray(start, end), at + PAYLOAD)
    bytes.writeUInt16BE(52 + length, at + IP + 2)
    bytes.writeUInt16BE(this.#id = (this.#id + 1) & 0xFFFF, at + IP + 4)
    bytes.writeUInt16BE(checksum(bytes.subarray(at + IP, at + TCP)), at + IP + 10)
    bytes.writeUInt32BE(this.#seq[from] >>> 0, at + TCP + 4)
    if (flags & ACK) bytes.writeUInt32BE(this.#seq[from === 0 ? 1 : 0] >>> 0, at + TCP + 8)
    bytes[at + TCP + 13] = flags
    bytes.writeUInt32BE(Math.floor(this.#pcap.at / 1000) >>> 0, at + TCP + 24)
    bytes.writeUInt32BE(Math.floor(this.#pcap.at / 1000 - 1) >>> 0, at + TCP + 28)
    bytes.writeUInt16BE(tcpChecksum(bytes, at, length), at + TCP + 16)
    this.#owed[from] = 0
    // A gigabit line.
    this.#pcap.at += 1 + Math.ceil((PAYLOAD + length) * 0.008)
  }
}

function header(src: string, sport: number, dst: string, dport: number): Buffer {
  const bytes = Buffer.alloc(PAYLOAD)
  bytes.set(macBytes(macOf(dst)), 0)
  bytes.set(macBytes(macOf(src)), 6)
  bytes.writeUInt16BE(0x0800, 12)
  bytes.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6], IP)
  bytes.set(ipBytes(src), IP + 12)
  bytes.set(ipBytes(dst), IP + 16)
  bytes.writeUInt16BE(sport, TCP)
  bytes.writeUInt16BE(dport, TCP + 2)
  bytes.set([0x80, 0, 0x20, 0], TCP + 12)
  bytes.set([1, 1, 8, 10], TCP + 20)
  return bytes
}

/** RFC 9293 3.1, over the frame at `at`. */
function tcpChecksum(bytes: Buffer, at: number, length: number): number {
  let sum = 6 + 32 + length
  const end = at + PAYLOAD + length
  for (let i = at + IP + 12; i < end - 1; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!
  if (length & 1) sum += bytes[end - 1]! << 8
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + Math.floor(sum / 0x10000)
  return ~sum & 0xFFFF
}

/** Runs the conversations side by side, a step of each in turn. */
function* interleaved(pcap: PcapStream, conversations: Generator[]): Generator<Buffer> {
  let open = conversations
  while (open.length > 0) {
    open = open.filter((conversation) => conversation.next().done !== true)
    yield* pcap.take()
  }
  yield* pcap.take(true)
}

// ------------------------------------------------------------------------------------------------------------- DICOM

const EXPLICIT = '1.2.840.10008.1.2.1'
const CT = '1.2.840.10008.5.1.4.1.1.2'
/** 512 x 512 pixels of two bytes. */
const PIXELS = new Uint8Array(2 * 512 * 512)
for (let i = 0, noise = new Random('pixels'); i < PIXELS.length; i++) PIXELS[i] = i & 1 ? noise.int(0, 3) : noise.bits()

/** At least `bytes` of CT images, C-STORE after C-STORE, from 50 modalities to one archive, in PDUs of 16 KB and segments of 1,448 bytes. */
export function dicomTraffic(bytes: number, connections = 50): Generator<Buffer> {
  const pcap = new PcapStream()
  return interleaved(pcap, Array.from({ length: connections }, (_, i) => association(pcap, i, bytes / connections)))
}

function* association(pcap: PcapStream, index: number, bytes: number): Generator {
  const link = new Link(pcap, `10.20.1.${index + 1}`, 40_000 + index, '10.20.10.20', 11_112, new Random(`association ${index}`))
  const who = { calling: `CT${index}`, called: 'ARCHIVE', user: { maxLength: 16_384, implementationClass: '1.2.276.0.7230010.3.0.3.6.7', implementationVersion: 'OFFIS_DCMTK_367' } }
  const series = `1.2.826.0.1.3680043.8.498.${index + 1}`
  const instance = (i: number): string => `${series}.${String(i).padStart(6, '0')}`
  const facts = { sopClass: CT, sopInstance: instance(0), study: `${series}.1`, series: `${series}.2`, modality: 'CT', patientId: `P${100_000 + index}`, accession: `A${index}` }
  const request = d.message(1, d.request('C-STORE', 1, { class: CT, instance: instance(0) }, {}, true), d.dataSet(d.image(facts, PIXELS), EXPLICIT))
  // Each image is the same but for its UID, which stands in the command and in the data set.
  const buffer = Buffer.from(request)
  const placesOfUid: number[] = []
  for (let at = buffer.indexOf(instance(0)); at >= 0; at = buffer.indexOf(instance(0), at + 1)) placesOfUid.push(at)

  link.open()
  link.message(0, d.associateRq({ ...who, contexts: [{ id: 1, abstract: CT, transfers: [EXPLICIT] }] }))
  link.message(1, d.associateAc({ ...who, contexts: [{ id: 1, result: 0, transfer: EXPLICIT }] }))
  yield
  let sent = 0
  for (let i = 1; sent < bytes; i++, sent += buffer.length) {
    for (const at of placesOfUid) buffer.write(instance(i), at, 'latin1')
    for (let at = 0; at < buffer.length; at += MSS) {
      link.segment(0, buffer, at, Math.min(at + MSS, buffer.length))
      // Bursts of a window take turns on the line.
      if ((at / MSS) % 16 === 15) yield
    }
    link.message(1, d.message(1, d.response('C-STORE', 1, 0, { class: CT, instance: instance(i) })))
    yield
  }
  link.message(0, d.releaseRq())
  link.message(1, d.releaseRp())
  link.close()
}

// --------------------------------------------------------------------------------------------------------------- HL7

/** `messages` of about 0.7 KB, each acknowledged, over eight interfaces; patients come back as often as in a busy hospital. */
export function hl7Traffic(messages: number, interfaces = 8): Generator<Buffer> {
  const pcap = new PcapStream()
  return interleaved(pcap, Array.from({ length: interfaces }, (_, i) => feed(pcap, i, Math.ceil(messages / interfaces))))
}

const TYPES = ['ADT^A08^ADT_A01', 'ADT^A08^ADT_A01', 'ADT^A01^ADT_A01', 'ADT^A03^ADT_A03', 'ORM^O01^ORM_O01', 'ORU^R01^ORU_R01', 'ORU^R01^ORU_R01', 'SIU^S12^SIU_S12']

function* feed(pcap: PcapStream, index: number, messages: number): Generator {
  const random = new Random(`feed ${index}`)
  const link = new Link(pcap, `10.20.30.${index + 1}`, 50_000 + index, '10.20.40.10', 2575, random)
  const orders = { latest: 100_000 * index }
  link.open()
  for (let i = 0; i < messages; i++) {
    const controlId = `${index}M${String(i).padStart(8, '0')}`
    const header = { sendingApp: `APP${index}`, sendingFacility: 'HOSP', receivingApp: 'ENGINE', receivingFacility: 'HOSP', time: h.hl7Time(pcap.at) }
    link.message(0, h.frame(clinical(random, { ...header, type: random.pick(TYPES), controlId }, orders)))
    pcap.at += random.int(200, 900)
    link.message(1, h.frame(h.acknowledgement({ ...header, sendingApp: 'ENGINE', receivingApp: `APP${index}`, controlId: `A${controlId}` }, { code: 'AA', of: controlId })))
    pcap.at += random.int(200, 2000)
    yield
  }
  link.close()
}

function clinical(random: Random, header: h.Header, orders: { latest: number }): Uint8Array {
  // Few patients are seen often, many seldom: of 20,000, half of the messages concern the busiest 600.
  const patient = Math.floor(20_000 * random.unit() ** 5)
  // An order is placed once, and reported on some time later, perhaps more than once.
  const order = header.type!.startsWith('ORM') ? ++orders.latest : Math.max(1, orders.latest - random.int(0, 500))
  const segments = [
    h.msh(header),
    h.segment('EVN', { 1: header.type!.slice(4, 7), 2: header.time! }),
    h.segment('PID', {
      1: '1', 3: `${500_000 + patient}^^^HOSP^MR~${900_000 + patient}^^^STATE^NI`, 5: `FAMILY${patient}^GIVEN^M`, 7: '19510203', 8: 'U',
      11: `${patient} SOME STREET^^TOWN^^12345^XX`, 13: '555-0100', 18: `ACCT${patient}`,
    }),
    h.segment('PV1', { 1: '1', 2: 'I', 3: 'WARD^101^1^HOSP', 7: '1234^PHYSICIAN^ANN', 10: 'MED', 19: `V${patient}`, 44: header.time! }),
  ]
  if (header.type!.startsWith('O')) {
    segments.push(h.segment('ORC', { 1: 'RE', 2: `PL${order}`, 3: `FL${order}` }), h.segment('OBR', { 1: '1', 2: `PL${order}`, 3: `FL${order}`, 4: 'BMP^BASIC PANEL^L', 7: header.time! }))
    for (let i = 1; i <= 6; i++) segments.push(h.segment('OBX', { 1: String(i), 2: 'NM', 3: `${i}^ANALYTE ${i}^L`, 5: String(random.int(10, 200)), 6: 'mmol/L', 7: '10-200', 11: 'F' }))
  } else {
    segments.push(h.segment('NK1', { 1: '1', 2: 'FAMILY^OTHER', 3: 'SPO', 5: '555-0101' }), h.segment('DG1', { 1: '1', 3: 'I10^HYPERTENSION^ICD10', 5: header.time!, 6: 'A' }),
      h.segment('IN1', { 1: '1', 2: 'PLAN', 3: '77', 4: 'INSURER OF THE STATE', 36: `POL${patient}` }), h.segment('NTE', { 1: '1', 3: 'Please see the notes of the last visit before planning: allergies were asked for again, and the ward was told. Nothing else is open.' }))
  }
  return h.message(...segments)
}
