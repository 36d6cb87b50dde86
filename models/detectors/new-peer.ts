import type { DicomOperation, Hl7Message } from '../../protocols/events.ts'
import { rarityOf, valueOf, type AmountFactor, type Factor } from '../arithmetic.ts'
import { unitsOn, type Habit, type NewsPrior } from '../baseline/novelty.ts'
import { daysBefore } from '../baseline/seen.ts'
import { imaging, mature, nameOf, todayOf, type Device, type Given } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { family, legal } from '../role.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { SCANNER_PEERS } from '../starters.ts'
import { FIRST_STUDIES, NONE, SITE_KNOWN, WITHOUT_ORDER, counted, days, evidence, newsFactor, num, othersFactor, rarity, type Detector } from './detector.ts'

/** New peers a day, by role: Gamma(a, b). */
const PRIORS: Record<string, NewsPrior> = {
  modality: SCANNER_PEERS, workstation: { a: 1, b: 20 }, archive: { a: 3, b: 10 }, engine: { a: 3, b: 10 }, unknown: { a: 1, b: 5 },
}
const DEFAULT: NewsPrior = { a: 1, b: 10 }
/** HL7 messages that a legitimate new edge carries on its first days. */
const MESSAGES = { mean: 40, size: 0.5 }
/** Of a pair of roles that has no business with this service. */
const ILLEGAL = 1e-2
/** An archive sends what it was asked for; unasked it follows a rule, and rules are made seldom. */
const UNASKED = 0.1
/** Studies without an order have a reason in common (a research export, a department whose orders the sensor does not see): ten of them say no more than three. */
const ONE_REASON = 1e-3
/** Of a receiver: days on which somebody who never did sends to it, how many more do so on that day, and what they bring beyond one study each. */
const RECEIVES: NewsPrior = { a: 0.4, b: 20 }
const MORE_SENDERS = { mean: 0.1, size: 0.5 }
/** Senders remembered a day. */
const MOST_SENDERS = 256
/** A peer of so many others and a third of the role is no news. */
const COMMON = 2
const COMMON_SHARE = 1 / 3

type Popularity = ReturnType<Site['popularity']>

export const newPeer: Detector<'dicom.operation' | 'hl7.message'> = {
  id: 'new-peer',
  question: 'Does a device exchange more with a peer it never used than a first contact explains?',
  wants: ['dicom.operation', 'hl7.message'],
  group: 'novelty',
  objective: 'collection',
  attack: ['T1048.003', 'T1074.002'],
  falsePositives: ['a migration, export or research ticket for these two hosts', 'a new archive, reader or interface that went live'],

  judge(event: DicomOperation | Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    if (!scene.acts) return scene.newStudy && scene.service === 'C-STORE' ? gathers(event, device, site, scene) : NONE
    if (scene.edge?.settled === true || !mature(device) || !carries(event, scene)) return NONE
    const popular = site.popularity(device, 'peer', scene.peer.id)
    return isCommon(popular) ? NONE : contacts(event, device, scene, popular)
  },
}

/** Does it move patients' data? */
const carries = (event: DicomOperation | Hl7Message, scene: Scene): boolean =>
  (event.kind === 'hl7.message' ? event.acknowledges === null : scene.newStudy || event.command === 'C-MOVE' || event.command === 'C-GET')

const isCommon = ({ users, q }: Popularity): boolean => users >= COMMON && q >= COMMON_SHARE

/** What a device exchanges with a peer that is new to it: how much of it a first day brings, and how to call it. */
interface Exchange {
  first: { mean: number; size: number }
  /** In the plural, and as the title says it. */
  what: string
  does: string
  /** A pair of roles that has business with this service. */
  usual: boolean
  /** Sent by an archive, and nobody asked for it. */
  unasked: boolean
}

function exchangeOf(event: DicomOperation | Hl7Message, device: Device, scene: Scene): Exchange {
  if (event.kind === 'hl7.message') {
    return { first: MESSAGES, what: 'HL7 messages', does: 'sends HL7 messages to', usual: legal('HL7', device.role, scene.peer.role), unasked: false }
  }
  const common = { first: FIRST_STUDIES, usual: legal(scene.service, device.role, scene.peer.role), unasked: isUnasked(event, device, scene) }
  return event.command === 'C-STORE' ? { ...common, what: 'studies sent', does: 'sends studies to' } : { ...common, what: 'studies requested', does: 'retrieves from' }
}

/** What is exchanged with a new peer today, or on its first days together, whichever is odder: a legitimate one may begin with as much on each. */
function amountOf(edge: Habit | undefined, today: number, day: number, first: Exchange['first']): AmountFactor {
  const alone: AmountFactor = { of: 'amount', n: today, ...first }
  if (edge === undefined) return alone
  const onDays = Math.max(1, edge.day === day ? edge.days : edge.days + 1)
  const all: AmountFactor = { of: 'amount', n: edge.total + 1, mean: first.mean * onDays, size: first.size * onDays }
  return valueOf(all) < valueOf(alone) ? all : alone
}

/** A device has something to do with a peer that it never, or hardly, used. */
function contacts(event: DicomOperation | Hl7Message, device: Device, scene: Scene, popular: Popularity): readonly Evidence[] {
  const { edge, peer } = scene
  const today = unitsOn(edge, scene.day) + 1
  const exchange = exchangeOf(event, device, scene)
  const given = scene.service === 'C-STORE' ? oftenUnordered(device.strangers?.get(peer.id)) : undefined
  const prior = PRIORS[family(device.role)] ?? DEFAULT
  const news = newsFactor(device, 'peer', peer.id, prior, scene.day)
  const amount = amountOf(edge, today, scene.day, exchange.first)
  const arithmetic: Factor[] = [news, othersFactor(device, 'peer', peer.id, popular), amount, ...weightsOf(exchange), ...unorderedOf(given)]
  const p = rarityOf(arithmetic)
  if (p > 0.01) return NONE
  const earlier = daysBefore(edge, scene.day)
  return [evidence(newPeer, event, {
    actor: device, peer, p, arithmetic, observed: today, expected: exchange.first.mean * valueOf(news), unit: exchange.what,
    service: event.kind === 'hl7.message' ? event.message_type : event.command,
    title: `${nameOf(device)} ${exchange.does} a host it ${earlier === 0 ? 'never' : 'hardly'} used: ${nameOf(peer)}`,
    text: `${counted(today, exchange.what)} today${amount.n > today ? ` (${num(amount.n)} since the first)` : ''} between ${nameOf(device)} and ${nameOf(peer)}, a peer it ${usedBefore(earlier, device.lived)}`
      + `${whoElse(device, popular)}${atWhoseRequest(scene, exchange)}${withoutOrder(given)}. A legitimate new peer of ${article(device)} starts with ${num(exchange.first.mean)} on its first day on average; `
      + `${exchange.usual ? '' : `${device.role} to ${peer.role} is no usual pair for this service; `}${rarity(p)}.`,
  })]
}

/** What makes it less likely than the amount alone. */
function weightsOf({ usual, unasked }: Exchange): Factor[] {
  const weights: Factor[] = []
  if (!usual) weights.push({ of: 'weight', why: 'the two roles have no business with this service', times: ILLEGAL })
  if (unasked) weights.push({ of: 'weight', why: 'an archive mostly sends what it was asked for, and that host never asked', times: UNASKED })
  return weights
}

/** What was given to that peer, if more of it than anywhere had no order. */
const oftenUnordered = (given: Given | undefined): Given | undefined =>
  (given !== undefined && given.unordered > WITHOUT_ORDER * given.studies ? given : undefined)

const unorderedOf = (given: Given | undefined): Factor[] =>
  (given === undefined ? [] : [{ of: 'share', hits: given.unordered, tries: given.studies, share: WITHOUT_ORDER, least: ONE_REASON }])

const withoutOrder = (given: Given | undefined): string =>
  (given === undefined ? '' : `; ${given.unordered} of the ${counted(given.studies, 'studies')} given to it so far had no order`)

const usedBefore = (earlier: number, lived: number): string =>
  earlier === 0 ? `never used in ${days(lived)}` : `used on only ${earlier} of the ${days(lived)} before`

const whoElse = ({ role }: Device, { users, others }: Popularity): string =>
  (others > 0 && role !== 'unknown' ? `; ${users} of ${others} other devices of its role (${role}) use that peer` : '')

const atWhoseRequest = ({ asker }: Scene, { unasked }: Exchange): string =>
  `${asker === null ? '' : `; ${nameOf(asker)} asked for it (C-MOVE)`}${unasked ? '; nobody asked for it' : ''}`

const article = (device: Device): string => (imaging(device) ? 'a scanner' : device.role === 'unknown' ? 'a device of unknown role' : `a device in the role ${device.role}`)

const ASKING = ['C-FIND>', 'C-MOVE>', 'C-GET>']

/** Does an archive give studies to a host that nobody asked for, and that never asks itself? */
const isUnasked = (event: DicomOperation, { role }: Device, { peer }: Scene): boolean =>
  family(role) === 'archive' && event.command === 'C-STORE' && event.cause === undefined && !ASKING.some((deed) => peer.deeds.has(deed))

/** Each of several devices may have a reason to send to a host for the first time; that they all begin on one day says that the host gathers. */
function gathers(event: DicomOperation | Hl7Message, device: Device, site: Site, scene: Scene): readonly Evidence[] {
  const sender = scene.peer
  // Who receives for the first time is asked about by new-receiver.
  if (device.givers !== undefined || site.age < SITE_KNOWN || !mature(sender) || sender.memories.peer.known.get(device.id)?.settled === true) return NONE
  if (isCommon(site.popularity(sender, 'peer', device.id))) return NONE
  const newcomers = (todayOf(device, scene.day).newcomers ??= new Map())
  if (newcomers.has(sender.id) || newcomers.size < MOST_SENDERS) newcomers.set(sender.id, (newcomers.get(sender.id) ?? 0) + 1)
  const senders = newcomers.size
  if (senders < 2) return NONE
  let studies = 0
  for (const n of newcomers.values()) studies += n
  const news = newsFactor(device, 'caller', sender.id, RECEIVES, scene.day)
  const arithmetic: Factor[] = [
    news, { of: 'amount', n: senders - 1, ...MORE_SENDERS },
    ...(studies > senders ? [{ of: 'amount', n: studies - senders, ...FIRST_STUDIES } as const] : []),
  ]
  const p = rarityOf(arithmetic)
  if (p > 0.01) return NONE
  const who = nameOf(device)
  return [evidence(newPeer, event, {
    actor: device, peer: null, p, arithmetic, observed: studies, expected: (FIRST_STUDIES.mean + 1) * valueOf(news), unit: 'studies from new senders',
    service: 'C-STORE', title: `${who} receives studies from ${senders} devices that never sent to it`,
    text: `${counted(studies, 'studies')} today from ${senders} devices, none of which is known to send to ${who}. One new sender is expected `
      + `with ${num(FIRST_STUDIES.mean)} more studies on average, and a second one on about one such day in ten; ${rarity(p)}.`,
  })]
}
