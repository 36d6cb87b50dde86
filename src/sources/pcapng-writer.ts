/**
 * Frames to pcapng (draft-ietf-opsawg-pcapng), little-endian: what the capturing process says to the engine, what `--write` keeps, and what is cut out
 * of captures for others. Times are microseconds, or nanoseconds where somebody knows them. Blocks are gathered in one buffer and taken out whole, so a reader never sees half of one that was meant to be sent.
 */
import type { Statistics } from '../../protocols/capture/window.ts'
import type { Micros } from '../../protocols/events.ts'

const SECTION_HEADER = 0x0A0D0D0A
const INTERFACE_DESCRIPTION = 1
const INTERFACE_STATISTICS = 5
const ENHANCED_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1A2B3C4D
const IF_NAME = 2
const IF_TSRESOL = 9
const ISB_IFRECV = 4
const ISB_IFDROP = 5
const ISB_OSDROP = 7
/** An enhanced packet block without its packet. */
const PACKET_FRAMING = 32

export interface CaptureInterface {
  name?: string
  /** LINKTYPE_ of the tcpdump registry. */
  linkType: number
  snapLength: number
}

export class PcapngWriter {
  #buffer: Buffer
  #used = 0
  readonly #inNanos: boolean

  /**
   * @param room bytes to begin with; it grows when more is gathered
   * @param inNanos times are told in nanoseconds
   */
  constructor(room = 1024 * 1024, inNanos = false) {
    this.#buffer = Buffer.allocUnsafe(room)
    this.#inNanos = inNanos
  }

  /** Bytes gathered. */
  get size(): number {
    return this.#used
  }

  /** A section begins (section 4.1); its interfaces are numbered anew. */
  section(): void {
    this.#block(SECTION_HEADER, 16, (at) => {
      this.#buffer.writeUInt32LE(BYTE_ORDER_MAGIC, at)
      this.#buffer.writeUInt16LE(1, at + 4)
      this.#buffer.writeUInt16LE(0, at + 6)
      // The section's length is not known yet.
      this.#buffer.writeBigInt64LE(-1n, at + 8)
    })
  }

  /** The next interface of the section, the first being 0 (section 4.2). */
  interface({ name, linkType, snapLength }: CaptureInterface): void {
    const options: [code: number, value: Uint8Array][] = name === undefined ? [] : [[IF_NAME, Buffer.from(name)]]
    // 10^-9 seconds; without it, 10^-6.
    if (this.#inNanos) options.push([IF_TSRESOL, Uint8Array.of(9)])
    this.#block(INTERFACE_DESCRIPTION, 8 + options.reduce((sum, [, value]) => sum + 4 + padded(value.length), 0) + 4, (at) => {
      this.#buffer.writeUInt16LE(linkType, at)
      this.#buffer.writeUInt32LE(snapLength, at + 4)
      let option = at + 8
      for (const [code, value] of options) {
        this.#buffer.writeUInt16LE(code, option)
        this.#buffer.writeUInt16LE(value.length, option + 2)
        this.#buffer.set(value, option + 4)
        option += 4 + padded(value.length)
      }
    })
  }

  /** Section 4.3. `bytes[start..end)` is copied. @param nanos of the time, beyond its whole microseconds */
  packet(interfaceId: number, at: Micros, bytes: Uint8Array, start: number, end: number, wireLength: number, nanos = 0): void {
    const captured = end - start
    const total = PACKET_FRAMING + padded(captured)
    const block = this.#room(total)
    const buffer = this.#buffer
    buffer.writeUInt32LE(ENHANCED_PACKET, block)
    buffer.writeUInt32LE(total, block + 4)
    buffer.writeUInt32LE(interfaceId, block + 8)
    this.#time(block + 12, at, nanos)
    buffer.writeUInt32LE(captured, block + 20)
    buffer.writeUInt32LE(wireLength, block + 24)
    buffer.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), block + 28)
    buffer.fill(0, block + 28 + captured, block + total - 4)
    buffer.writeUInt32LE(total, block + total - 4)
  }

  /** Section 4.6. @param received packets of the interface so far; left out when undefined */
  statistics({ interfaceId, at, kernelDrops, interfaceDrops }: Statistics, received?: number): void {
    const options: [code: number, value: number][] = [[ISB_IFDROP, interfaceDrops], [ISB_OSDROP, kernelDrops]]
    if (received !== undefined) options.unshift([ISB_IFRECV, received])
    this.#block(INTERFACE_STATISTICS, 12 + 12 * options.length + 4, (body) => {
      this.#buffer.writeUInt32LE(interfaceId, body)
      this.#time(body + 4, at ?? 0)
      options.forEach(([code, value], i) => {
        const option = body + 12 + 12 * i
        this.#buffer.writeUInt16LE(code, option)
        this.#buffer.writeUInt16LE(8, option + 2)
        this.#buffer.writeBigUInt64LE(BigInt(value), option + 4)
      })
    })
  }

  /** What was gathered; valid until the next call of any method but `size`. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#used)
    this.#used = 0
    return taken
  }

  #time(at: number, time: Micros, nanos = 0): void {
    if (this.#inNanos) {
      // `time` is rounded to what a number holds, so its microsecond is told by taking the nanoseconds off.
      const ticks = BigInt(Math.round(time - nanos / 1000)) * 1000n + BigInt(nanos)
      this.#buffer.writeUInt32LE(Number(ticks >> 32n), at)
      this.#buffer.writeUInt32LE(Number(ticks & 0xFFFF_FFFFn), at + 4)
      return
    }
    const whole = Math.floor(time)
    this.#buffer.writeUInt32LE(Math.floor(whole / 0x1_0000_0000), at)
    this.#buffer.writeUInt32LE(whole % 0x1_0000_0000, at + 4)
  }

  /** A block of `length` body bytes, zeros but for what `fill` puts there. */
  #block(type: number, length: number, fill: (body: number) => void): void {
    const total = length + 12
    const at = this.#room(total)
    this.#buffer.fill(0, at, at + total)
    this.#buffer.writeUInt32LE(type, at)
    this.#buffer.writeUInt32LE(total, at + 4)
    fill(at + 8)
    this.#buffer.writeUInt32LE(total, at + total - 4)
  }

  /** Takes `count` bytes of the buffer. @returns where they begin */
  #room(count: number): number {
    const at = this.#used
    if (at + count > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(2 * (at + count))
      grown.set(this.#buffer.subarray(0, at))
      this.#buffer = grown
    }
    this.#used = at + count
    return at
  }
}

const padded = (length: number): number => (length + 3) & ~3
