/** What each host showed of itself, by address: make and model in the images it sent, names it answered to, networks it was seen in. */
import type { DataSetFacts, DicomAssociation, DicomOperation, Endpoint, Flow, FlowEnd, HostFacts, Micros } from '../../protocols/events.ts'
import { makeRoom, provenWorth } from '../../protocols/room.ts'
import { DAY } from '../clock.ts'
import { clean } from '../device.ts'
import { bump } from './conversations.ts'
import type { OsClaim } from './systems.ts'

export const HOST_LIMITS = {
  /** Addresses; those heard for less than a day give way first, and of equals those unheard for longest. */
  hosts: 30_000,
  /** Makes of one host: an archive passes on the images of all. */
  makes: 8,
  titles: 16,
  vlans: 8,
  /** Claims of one host about its system, and characters of the evidence of each. */
  claims: 8,
  evidenceChars: 160,
} as const

/** PS3.3 C.7.5.1: what the images say made them. */
export interface Make {
  manufacturer: string | null
  model: string | null
  software: string | null
  station: string | null
  serial: string | null
  institution: string | null
}

export interface Host {
  first: Micros
  last: Micros
  mac: string | null
  /** VLAN ids from the outside in, `10.20`; empty where no tags were seen. */
  vlans: Map<string, number>
  /** Instances it sent, by the make they name. */
  makes: Map<string, { make: Make; n: number }>
  /** AE titles it was called by and accepted. */
  called: Map<string, number>
  /** Conversations by protocol, as either end. */
  spoke: Map<string, number>
  hostname: string | null
  vendor: string | null
  systems: OsClaim[]
}

export class Hosts {
  readonly known = new Map<string, Host>()

  flow(event: FlowEnd): void {
    // An address that never answered is no host.
    const answered = event.state === 'established' || event.state === 'midstream' || event.bytes.server > 0
    const client = this.#host(event.flow, event.flow.client, event.ended_at)
    const server = answered ? this.#host(event.flow, event.flow.server, event.ended_at) : undefined
    if (!answered) return
    const name = event.protocol ?? event.transport
    bump(client.spoke, name, HOST_LIMITS.titles)
    if (server !== undefined) bump(server.spoke, name, HOST_LIMITS.titles)
  }

  association(event: DicomAssociation): void {
    if (event.result !== 'accepted' || event.called_ae === null) return
    bump(this.#host(event.flow, event.flow.server, event.at).called, clean(event.called_ae), HOST_LIMITS.titles)
  }

  /** The sender of images tells who made them: itself, if it is a scanner. */
  operation(event: DicomOperation): void {
    const facts = event.dataset
    if (event.command !== 'C-STORE' || facts === null || (facts.manufacturer === null && facts.model === null)) return
    const host = this.#host(event.flow, event.flow[event.invoker], event.at)
    const key = keyOf(facts)
    const known = host.makes.get(key)
    if (known !== undefined) known.n += 1
    else if (host.makes.size < HOST_LIMITS.makes) host.makes.set(key, { make: makeOf(facts), n: 1 })
  }

  /** Mostly told before the first conversation ends, and so before the host is known otherwise. */
  facts(event: HostFacts): void {
    const host = this.#of(event.ip, event.mac, event.at)
    if (event.hostname !== null) host.hostname = clean(event.hostname)
    if (event.vendor !== null) host.vendor = clean(event.vendor)
    if (event.os === null) return
    const { name, eol, family, source } = event.os
    const claim: OsClaim = { name: clean(name), eol, evidence: short(event.os.evidence), family: family ?? null, confidence: event.confidence ?? 'low', source: source ?? null }
    // An updated host says something else than before by the same sign: the later counts.
    const sign = signOf(claim)
    host.systems = host.systems.filter((s) => signOf(s) !== sign)
    host.systems.push(claim)
    if (host.systems.length > HOST_LIMITS.claims) host.systems.shift()
  }

  #host(flow: Flow, end: Endpoint, at: Micros): Host {
    const host = this.#of(end.ip, end.mac, at)
    bump(host.vlans, flow.vlan.join('.'), HOST_LIMITS.vlans)
    return host
  }

  #of(ip: string, mac: string | null, at: Micros): Host {
    let host = this.known.get(ip)
    if (host === undefined) {
      makeRoom(this.known, HOST_LIMITS.hosts, provenAs)
      host = { first: at, last: at, mac, vlans: new Map(), makes: new Map(), called: new Map(), spoke: new Map(), hostname: null, vendor: null, systems: [] }
      this.known.set(ip, host)
    }
    host.last = Math.max(host.last, at)
    host.mac = mac ?? host.mac
    return host
  }
}

/** An invented sender is heard once: it must not push out whoever is there every day, nor whoever had an answer. */
const provenAs = ({ first, last, spoke }: Host): number => provenWorth(last - first >= DAY ? 0 : spoke.size > 0 ? 1 : 2, last)

/** What sort of evidence it is: `TCP SYN`, `NTLM version`; a host has one of each. */
const signOf = (claim: OsClaim): string => claim.evidence.split(/[:(,\d]/, 1)[0]!.trim()

const short = (text: string): string => {
  const safe = text.slice(0, HOST_LIMITS.evidenceChars).match(/.{1,60}/gs) ?? []
  return safe.map(clean).join('')
}

const makeOf = ({ manufacturer, model, software, station, serial, institution }: DataSetFacts): Make => ({
  manufacturer: tidy(manufacturer), model: tidy(model), software: tidy(software), station: tidy(station), serial: tidy(serial), institution: tidy(institution),
})

const keyOf = (f: DataSetFacts): string => `${f.manufacturer}\\${f.model}\\${f.software}\\${f.station}\\${f.serial}\\${f.institution}`

const tidy = (text: string | null): string | null => text === null || text === '' ? null : clean(text)
