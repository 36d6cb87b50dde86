/** What the identity detectors share: two hosts with one name, in words. */
import type { WireEvent } from '../../protocols/events.ts'
import { isPublic } from '../../protocols/net/address.ts'
import { clean, nameOf } from '../device.ts'
import type { Claim } from '../names.ts'
import type { Evidence } from '../evidence.ts'
import { evidence, type Detector } from './detector.ts'

const minutes = (micros: number): string => {
  const m = micros / 60_000_000
  return m < 90 ? `${Math.max(1, Math.round(m))} min` : m < 2880 ? `${(m / 60).toFixed(1)} h` : `${(m / 1440).toFixed(1)} days`
}

export function claimEvidence(detector: Pick<Detector, 'id' | 'group' | 'objective'>, event: WireEvent, claim: Claim, what: string): Evidence {
  const { owner, rival, kind } = claim
  const name = clean(claim.name.slice(3).split('>')[0]!.split('|')[0]!)
  const both = kind === 'conflict'
  return evidence(detector, event, {
    actor: rival, peer: owner, p: null, severity: both ? 'high' : 'low', since: claim.since,
    observed: 2, expected: 1, unit: 'hosts with one name',
    title: both ? `${claim.rivalIp} uses the ${what} ${name} while its owner is alive at ${claim.ownerIp}`
      : `${nameOf(rival)} (${claim.rivalIp}) uses the ${what} ${name} of another device`,
    text: both
      ? `${what} ${name} was used from ${claim.rivalIp} and again from ${claim.ownerIp}, whose longest usual pause is ${minutes(claim.pause)}: `
        + 'the owner did not move, so two hosts use one name.'
      : `${what} ${name} belongs to ${claim.ownerIp}, last heard ${minutes(Math.max(0, event.at - claim.ownerLast))} before; `
        + `${claim.rivalIp} is ${isPublic(claim.rivalIp) ? 'on the Internet' : 'known as another device'} and uses it now.`,
  })
}
