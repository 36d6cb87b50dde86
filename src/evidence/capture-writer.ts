/**
 * Captures for others to open: pcap where one link type and microseconds say it all, pcapng otherwise
 * (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng). Frames are written as they were read, with their original lengths and times.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Frame } from '../../protocols/capture/frame.ts'
import { PcapngWriter } from '../sources/pcapng-writer.ts'

/** Bytes gathered before they are written. */
const BATCH = 1024 * 1024

export interface CaptureShape {
  /** LINKTYPE_ of the tcpdump registry, each once. */
  linkTypes: readonly number[]
  /** Some times have nanoseconds. */
  nanos: boolean
}

/** Gathers frames in a form. */
interface Form {
  readonly size: number
  write(frame: Frame): void
  /** What was gathered; valid until the next call. */
  take(): Uint8Array
}

export class CaptureWriter {
  readonly format: 'pcap' | 'pcapng'
  frames = 0
  bytes = 0
  readonly #form: Form
  readonly #file: number

  /** @param path replaced when it is there; readable by its owner only. @throws the operating system's error */
  constructor(path: string, { linkTypes, nanos }: CaptureShape) {
    this.format = nanos || linkTypes.length > 1 ? 'pcapng' : 'pcap'
    this.#form = this.format === 'pcap' ? new Pcap(linkTypes[0] ?? 1) : new Pcapng(linkTypes)
    this.#file = openSync(path, 'w', 0o600)
  }

  write(frame: Frame): void {
    this.frames += 1
    this.bytes += frame.end - frame.start
    this.#form.write(frame)
    if (this.#form.size >= BATCH) this.#flush()
  }

  close(): void {
    this.#flush()
    closeSync(this.#file)
  }

  #flush(): void {
    let rest = this.#form.take()
    while (rest.length > 0) rest = rest.subarray(writeSync(this.#file, rest))
  }
}

/** Several link types, and nanoseconds. */
class Pcapng implements Form {
  readonly #writer = new PcapngWriter(2 * BATCH, true)
  readonly #linkTypes: readonly number[]

  constructor(linkTypes: readonly number[]) {
    this.#linkTypes = linkTypes
    this.#writer.section()
    for (const linkType of linkTypes) this.#writer.interface({ linkType, snapLength: 0 })
  }

  get size(): number {
    return this.#writer.size
  }

  write({ at, nanos, bytes, start, end, wireLength, linkType }: Frame): void {
    this.#writer.packet(this.#linkTypes.indexOf(linkType), at, bytes, start, end, wireLength, nanos)
  }

  take(): Uint8Array {
    return this.#writer.take()
  }
}

const VERSION_2_4 = 0x0004_0002
const SNAP_LENGTH = 262_144

/** One link type, and microseconds. */
class Pcap implements Form {
  #parts: Uint8Array[]
  size: number

  constructor(linkType: number) {
    const header = words(0xA1B2C3D4, VERSION_2_4, 0, 0, SNAP_LENGTH, linkType)
    this.#parts = [header]
    this.size = header.length
  }

  write({ at, bytes, start, end, wireLength }: Frame): void {
    const micros = Math.round(at)
    const header = words(Math.floor(micros / 1e6), micros % 1e6, end - start, wireLength)
    // The view is the reader's, and good only until the next frame.
    this.#parts.push(header, bytes.slice(start, end))
    this.size += header.length + end - start
  }

  take(): Uint8Array {
    const taken = Buffer.concat(this.#parts)
    this.#parts = []
    this.size = 0
    return taken
  }
}

function words(...values: number[]): Buffer {
  const out = Buffer.alloc(4 * values.length)
  values.forEach((value, i) => out.writeUInt32LE(value >>> 0, 4 * i))
  return out
}
