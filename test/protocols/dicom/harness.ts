/** The dissector alone, without frames and TCP: what it emits for bytes in given pieces. */
import type { EventOf, Flow, WireEvent } from '../../../protocols/events.ts'
import { dicom } from '../../../protocols/dicom/index.ts'
import { Pseudonyms } from '../../../protocols/phi.ts'
import { LOST, type Direction, type Dissector } from '../../../protocols/protocol.ts'
import { SITE_KEY, type Turns } from '../contract/wire.ts'

export const names = new Pseudonyms(SITE_KEY)

const FLOW: Flow = {
  id: 'f', transport: 'tcp', client: { ip: '10.1.0.1', port: 50_000, mac: null }, server: { ip: '10.2.0.2', port: 104, mac: null }, vlan: [], community_id: '1:x', midstream: false,
}

/** Offers bytes as the contract says: what is left is offered again in front of what follows, what is skipped is not offered. */
export class Wire {
  readonly events: WireEvent[] = []
  /** Most bytes that were kept for the dissector at once. */
  kept = 0
  readonly #dissector: Dissector
  readonly #waiting: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)]
  readonly #skip: [number, number] = [0, 0]
  #at = 0

  constructor(midstream = false) {
    this.#dissector = dicom.open({
      flow: { ...FLOW, midstream }, pseudonyms: names, afterGap: false, lost: () => 0, emit: (event) => this.events.push(event),
    })
  }

  /** @returns false when sync is lost */
  say(from: Direction, bytes: Uint8Array, at = this.#at + 10_000): boolean {
    this.#at = at
    const skipped = Math.min(this.#skip[from], bytes.length)
    this.#skip[from] -= skipped
    let rest = Buffer.concat([this.#waiting[from], bytes.subarray(skipped)])
    while (rest.length > 0 && (this.#waiting[from].length === 0 || rest.length >= this.#dissector.needs(from))) {
      const used = this.#dissector.data(from, rest, 0, rest.length, at)
      if (used === LOST) return false
      this.#skip[from] += Math.max(0, used - rest.length)
      rest = rest.subarray(Math.min(used, rest.length))
      this.#waiting[from] = rest
      if (used === 0) break
    }
    this.#waiting[from] = rest
    this.kept = Math.max(this.kept, rest.length)
    return true
  }

  end(how: 'fin' | 'rst' | 'end of capture' = 'fin'): this {
    this.#dissector.end(how, this.#at)
    return this
  }

  of<K extends WireEvent['kind']>(kind: K): EventOf<K>[] {
    return this.events.filter((e): e is EventOf<K> => e.kind === kind)
  }

  get codes(): string[] {
    return this.of('violation').map((v) => v.code)
  }
}

/** A whole conversation, each turn in one piece. */
export function heard(turns: Turns): Wire {
  const wire = new Wire()
  for (const [from, bytes] of turns) wire.say(from, bytes)
  return wire.end()
}

export function only<T>(list: readonly T[]): T {
  if (list.length !== 1) throw new Error(`one expected, ${list.length} found`)
  return list[0]!
}
