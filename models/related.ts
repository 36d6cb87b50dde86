/** What makes a piece of evidence part of an incident that is open, of its own device or of another: the same deed, what it leads to, or the same cause. */
import { HOUR, MINUTE } from './clock.ts'
import { clean, type Device } from './device.ts'
import type { Evidence } from './evidence.ts'
import type { Incident } from './incident.ts'
import { OUTAGES, isShared } from './recent.ts'

/** What follows trouble so soon is part of it. */
export const AFTERMATH = 2 * HOUR
/** Detectors of what servers die of. */
const DEADLY: ReadonlySet<string> = new Set(['idle-associations', 'context-flood', 'protocol-violations'])
/** Detectors of one host that goes on to another. */
const SPREADING: ReadonlySet<string> = new Set(['peer-to-peer', 'lateral-movement'])
/** Servers that stop so soon after each other do so for one reason. */
const TOGETHER = HOUR
/** What is seen of one conversation, or of one document on its way. */
const AT_ONCE = 15 * MINUTE

/** Is it, whichever device of it this is about, what that incident tells of? */
export function isOneStory(incident: Incident, evidence: Evidence): boolean {
  return becameOneWith(incident, evidence.actor) || passesOn(incident, evidence) || succumbs(incident, evidence) || spreads(incident, evidence)
    || failsWith(incident, evidence) || gathersAt(incident, evidence) || isSameContent(incident, evidence)
}

/** Does the incident tell of operations or messages of this kind? */
export const didSo = ({ alert }: Incident, service: string | null): boolean => service !== null && alert.evidence.some((one) => one.service === clean(service))

/** Is it what its title says already, of the same device? */
export const isItsTitle = ({ alert }: Incident, { actor, detector }: Evidence): boolean => alert.detector === detector && alert.device.id === actor.id

/** Is it about the same conversation, at this time? Between servers a connection carries what everybody says. */
export const sharesConversation = ({ alert }: Incident, { flow, actor, peer, at }: Evidence): boolean =>
  flow !== null && !(isShared(actor.role) && (peer === null || isShared(peer.role))) && at - alert.last_seen <= AT_ONCE && alert.flows.includes(flow.community_id)

/** Does it name the device, which has part in what goes on? A server has part in everything. */
export const namesActor = ({ objective, peers, alert }: Incident, { actor, objective: of, at }: Evidence): boolean =>
  objective === of && !isShared(actor.role) && peers.includes(actor.id) && at - alert.last_seen <= AFTERMATH

/** A host that was taken for the device itself until the two were told apart. */
export const shareHost = (hosts: readonly string[], device: Device): boolean => hosts.some((ip) => device.ips.has(ip))

/** An address that was a stranger until it turned out to be this device. */
const becameOneWith = ({ actor, alert }: Incident, device: Device): boolean => actor !== device.id && alert.device.ip.every((ip) => device.ips.has(ip))

/** An engine or an archive does to others at once what was done to it. */
function passesOn({ peers, alert }: Incident, { actor, at, detector, unit }: Evidence): boolean {
  return isShared(actor.role) && peers.includes(actor.id) && at - alert.last_seen <= AFTERMATH && alert.evidence.some((one) => one.detector === detector && one.unit === unit)
}

/** Engines pass a document on, under names and addresses of their own. */
const isSameContent = ({ alert }: Incident, { detector, unit, observed, at }: Evidence): boolean =>
  detector === 'executable-content' && at - alert.last_seen <= AT_ONCE && alert.evidence.some((one) => one.detector === detector && one.unit === unit && one.observed === observed)

/** A server that turns its callers away while somebody does to it what servers die of. */
const succumbs = ({ peers, alert }: Incident, { actor, at, detector }: Evidence): boolean =>
  detector === 'service-down' && peers.includes(actor.id) && at - alert.last_seen <= AFTERMATH && alert.evidence.some((one) => DEADLY.has(one.detector))

/** Servers that stop together, and go on to be away. */
export const failsWith = ({ alert }: Incident, { actor, at, detector }: Evidence): boolean =>
  OUTAGES.has(detector) && alert.evidence.some((one) => OUTAGES.has(one.detector) && (one.actor === actor.id || at - alert.first_seen <= TOGETHER))

/** Whoever was reached reaches on: a worm, told once. */
const spreads = ({ objective, peers, alert }: Incident, { actor }: Evidence): boolean =>
  objective === 'movement' && (peers.includes(actor.id) || shareHost(alert.hosts, actor)) && alert.evidence.some(({ detector }) => SPREADING.has(detector))

/** Several who begin to give studies to the same new receiver, seen from either end. */
function gathersAt({ alert }: Incident, { detector, actor, peer }: Evidence): boolean {
  const receives = detector === 'new-receiver'
  const receiver = receives ? actor.id : peer?.id
  return receiver !== undefined
    && alert.evidence.some((one) => (one.detector === 'new-receiver' && one.actor === receiver) || (receives && one.detector === 'new-peer' && one.peer === receiver))
}
