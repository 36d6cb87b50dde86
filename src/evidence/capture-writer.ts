/**
 * Captures for others to open: pcap where one link type and microseconds say it all, pcapng otherwise
 * (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng). Frames are written as they were read, with their original lengths and times.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Frame } from '../../protocols/capture/frame.ts'

/** Bytes gathered before they are written. */
const BATCH = 1024 * 1024

export interface CaptureShape {
  /** LINKTYPE_ of the tcpdump registry, each once. */
  linkTypes: readonly number[]
  /** Some times have nanoseconds. */
  nanos: boolean
}

export class CaptureWriter {
  readonly format: 'pcap' | 'pcapng'
  frames = 0
  bytes = 0
  readonly #linkTypes: readonly number[]
  readonly #file: number
  #batch: Uint8Array[] = []
  #size = 0

  /** @param path replaced when it is there; readable by its owner only. @throws the operating system's error */
  constructor(path: string, { linkTypes, nanos }: CaptureShape) {
    this.format = nanos || linkTypes.length > 1 ? 'pcapng' : 'pcap'
    this.#linkTypes = linkTypes
    this.#file = openSync(path, 'w', 0o600)
    if (this.format === 'pcap') this.#put(pcapHeader(linkTypes[0] ?? 1))
    else for (const block of [SECTION, ...linkTypes.map(interfaceBlock)]) this.#put(block)
  }

  write(frame: Frame): void {
    const captured = frame.bytes.subarray(frame.start, frame.end)
    this.frames += 1
    this.bytes += captured.length
    this.#put(this.format === 'pcap' ? recordHeader(frame) : packetHeader(frame, this.#linkTypes.indexOf(frame.linkType)))
    // The view is the reader's, and good only until the next frame.
    this.#put(Uint8Array.from(captured))
    if (this.format === 'pcapng') this.#put(packetEnd(captured.length))
  }

  close(): void {
    this.#flush()
    closeSync(this.#file)
  }

  #put(bytes: Uint8Array): void {
    this.#batch.push(bytes)
    this.#size += bytes.length
    if (this.#size >= BATCH) this.#flush()
  }

  #flush(): void {
    let rest: Uint8Array = Buffer.concat(this.#batch)
    while (rest.length > 0) rest = rest.subarray(writeSync(this.#file, rest))
    this.#batch = []
    this.#size = 0
  }
}

/** `at` is rounded to what a number holds, so its microsecond is told by taking the nanoseconds off. */
const wholeMicros = ({ at, nanos = 0 }: Frame): number => Math.round(at - nanos / 1000)

function words(...values: number[]): Buffer {
  const out = Buffer.alloc(4 * values.length)
  values.forEach((value, i) => out.writeUInt32LE(value >>> 0, 4 * i))
  return out
}

const VERSION_2_4 = 0x0004_0002
const SNAP_LENGTH = 262_144
const pcapHeader = (linkType: number): Buffer => words(0xA1B2C3D4, VERSION_2_4, 0, 0, SNAP_LENGTH, linkType)

function recordHeader(frame: Frame): Buffer {
  const micros = wholeMicros(frame)
  return words(Math.floor(micros / 1e6), micros % 1e6, frame.end - frame.start, frame.wireLength)
}

/** Section header: byte-order magic, version 1.0, length unknown. */
const SECTION = words(0x0A0D0D0A, 28, 0x1A2B3C4D, 0x0000_0001, 0xFFFF_FFFF, 0xFFFF_FFFF, 28)

/** Interface description with if_tsresol (option 9): 10^-9 seconds. */
const interfaceBlock = (linkType: number): Buffer => words(1, 32, linkType, 0, 0x0001_0009, 9, 0, 32)

/** Bytes of an enhanced packet block besides the frame and its padding. */
const PACKET_FRAMING = 32
const paddingOf = (length: number): number => -length & 3

function packetHeader(frame: Frame, interfaceId: number): Buffer {
  const captured = frame.end - frame.start
  const ticks = BigInt(wholeMicros(frame)) * 1000n + BigInt(frame.nanos ?? 0)
  return words(6, PACKET_FRAMING + captured + paddingOf(captured), interfaceId, Number(ticks >> 32n), Number(ticks & 0xFFFF_FFFFn), captured, frame.wireLength)
}

function packetEnd(captured: number): Buffer {
  const padding = paddingOf(captured)
  return Buffer.concat([Buffer.alloc(padding), words(PACKET_FRAMING + captured + padding)])
}
