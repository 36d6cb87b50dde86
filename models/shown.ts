/**
 * What hosts show of themselves: a name, an operating system and its end of life. Mostly told before a host's first conversation ends: then it waits
 * here until the address is a device's.
 */
import type { HostFacts } from '../protocols/events.ts'
import { makeRoom } from '../protocols/room.ts'
import type { Directory } from './directory.ts'
import { chunks, unchunk } from './pack.ts'

/** Addresses that showed something and are no device yet: whoever is knocked at, or is never heard. The first go first. */
const MOST_SHOWN = 10_000

interface Facts {
  hostname: string | null
  eol: string | null
}

export class Shown {
  /** By address. */
  readonly #waiting = new Map<string, Facts>()
  readonly #directory: Directory

  constructor(directory: Directory) {
    this.#directory = directory
  }

  take({ ip, hostname, os, confidence }: HostFacts): void {
    if (hostname === null && os === null) return
    const device = this.#directory.known(ip)
    if (device === undefined) {
      this.#wait(ip, hostname, os === null ? undefined : confidence === 'low' ? null : os.eol)
      return
    }
    if (hostname !== null) device.host = hostname
    if (os !== null && confidence !== 'low') device.eol = os.eol
  }

  /** @param eol of the system that was shown; undefined: none was */
  #wait(ip: string, hostname: string | null, eol: string | null | undefined): void {
    const before = this.#waiting.get(ip)
    if (before === undefined) makeRoom(this.#waiting, MOST_SHOWN)
    this.#waiting.set(ip, { hostname: hostname ?? before?.hostname ?? null, eol: eol === undefined ? before?.eol ?? null : eol })
  }

  /** Hands what waited to those who have become devices. */
  handOver(): void {
    for (const [ip, { hostname, eol }] of this.#waiting) {
      const device = this.#directory.known(ip)
      if (device === undefined) continue
      device.host ??= hostname
      device.eol ??= eol
      this.#waiting.delete(ip)
    }
  }

  *save(): Iterable<[string, unknown]> {
    yield* chunks('shown', [...this.#waiting])
  }

  load(entries: Map<string, unknown>): void {
    for (const [ip, facts] of unchunk('shown', entries) as [string, Facts][]) this.#waiting.set(ip, facts)
  }
}
