/**
 * What an analyst is told beside the evidence: what would not explain it, and what to do next. By detector where there is something of its
 * own to say, else by what the actor would be after. `docs/detectors/` says the same at length.
 */
import type { Advice } from './alert.ts'
import type { Objective } from './evidence.ts'

/** What would explain it, each detector knows itself. */
type Counsel = Omit<Advice, 'would_explain'>

const BY_OBJECTIVE: Record<Objective, Counsel> = {
  collection: {
    would_not: 'that the other end answers like an archive or viewer, because any program can',
    next: 'ask the owner of the device for the reason and look for a ticket; without one, block the pair of hosts and list the studies from the archive\'s log',
  },
  identity: {
    would_not: 'that the name is accepted: names are no secret',
    next: 'find out which machine has the address (switch port, lease), and whether it was set up or replaced today',
  },
  discovery: {
    would_not: 'that the queries are well formed and answered',
    next: 'ask the user of the device what was searched for, and see which studies were retrieved afterwards',
  },
  integrity: {
    would_not: 'that the messages are acknowledged: receivers acknowledge what they can parse',
    next: 'stop the interface if patients may be harmed, and compare the messages with those of the sending system',
  },
  disruption: {
    would_not: 'that the service still answers some of the time',
    next: 'look at the server and its log first; if it is healthy, look at who was last to talk to it',
  },
  movement: {
    would_not: 'that most hosts did not answer',
    next: 'find out what runs on the device; without a known scanner, take it off the network and keep it switched on',
  },
}

const BY_DETECTOR: Record<string, Partial<Counsel>> = {
  'public-address': {
    would_not: 'that the address belongs to a known cloud provider: anybody can rent there',
    next: 'look up the owner of the address, ask who ordered the transfer, and block the address until that is known',
  },
  'beaconing': {
    would_not: 'that the address belongs to a known cloud provider, or that hardly anything is sent: a call asks for orders',
    next: 'look up the owner of the address, ask the vendor of the device whether it is theirs, and block it until that is known',
  },
  'peer-to-peer': { would_not: 'that the login was accepted: worms carry passwords that they found', next: 'take both hosts off the network, keep them switched on, and look for who reached the first' },
  'executable-content': { would_not: 'that the document is declared as a PDF or image', next: 'keep the message or object away from whoever opens documents, and have the bytes examined' },
  'cleartext-identity': { would_not: 'that the network is internal', next: 'change the password and set the client up for TLS' },
  'service-down': { would_not: 'a fault of a single caller, because several are turned away', next: 'see whether the server runs; if it was encrypted or stopped by somebody, isolate it' },
  'rerouted': { next: 'compare the hardware address with the switch\'s table, and look for ARP spoofing' },
  'unexplained-access': { would_not: 'that the user may open any study: the patients had no reason on record', next: 'compare the patients with the user\'s work list, as the law on access to records asks' },
  'stale-studies': { would_not: 'a busy day: the studies are not of today' },
  'foreign-protocol': { would_not: 'a lost packet: nothing was lost in these conversations', next: 'look at the first bytes of the conversations in the capture' },
  'hl7-merge': { next: 'stop the sender, and have the patient index undo the merges before anybody reads the merged record' },
}

export function adviceOn(detector: string, objective: Objective): Counsel {
  return { ...BY_OBJECTIVE[objective], ...(Object.hasOwn(BY_DETECTOR, detector) ? BY_DETECTOR[detector] : {}) }
}
