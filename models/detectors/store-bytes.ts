import type { DicomOperation, FlowEnd } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { judgeBytes, unusualFor } from '../baseline/bytes.ts'
import { LOOK, dayMean, daySize } from '../baseline/counts.ts'
import { mature, nameOf, type Device, type Told } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { mayTell } from '../told.ts'
import { LOW_ALONE, NONE, counted, days, evidence, num, rarity, type Detector } from './detector.ts'

export const storeBytes: Detector<'dicom.operation' | 'flow'> = {
  id: 'store-bytes',
  question: 'Does a device send or receive more bytes of images than its studies and their usual sizes explain?',
  wants: ['dicom.operation', 'flow'],
  group: 'volume',
  objective: 'collection',
  attack: ['T1048.003', 'T1020', 'T1001.003'],
  falsePositives: ['an upgrade or a new protocol that makes images larger', 'an examination with exceptionally many images'],

  judge(event: DicomOperation | FlowEnd, device: Device, site: Site, scene: Scene): readonly Evidence[] {
    const { moved } = scene
    // An archive sends and receives what others ask of it: they are judged, each by its own measure.
    if (moved === null || device.role === 'archive' || !mature(device)) return NONE
    const open = device.today.bytes[moved]
    const sizes = device.sizes.get(`store.${moved}`)
    if (sizes === undefined || open.sum < open.look) return NONE
    const { studies, spread } = expectedStudies(moved, device, site)
    const excess = judgeBytes(open, sizes, studies, spread)
    if (excess === undefined || excess.p > LOOK) return NONE
    const name = `bytes.${moved}`
    const unusual = (told: Told): boolean => unusualFor(sizes, open.sum - told.n, open.studies.size - (told.studies ?? 0))
    if (!mayTell(device, name, event.at, site, { n: open.sum, studies: open.studies.size }, unusual)) return NONE
    const who = nameOf(device)
    const arithmetic: Factor[] = [{ of: 'sum', ...excess.basis, median: excess.median, seen: open.studies.size, days: device.lived }, { of: 'cap', why: 'larger images look the same', least: LOW_ALONE }]
    const p = rarityOf(arithmetic)
    return [evidence(storeBytes, event, {
      actor: device, peer: scene.peer, p, arithmetic, observed: Math.round(excess.observed), expected: Math.round(excess.expected), unit: 'bytes of images today',
      service: event.kind === 'flow' ? null : event.command,
      title: `${who} ${moved === 'out' ? 'sends' : 'receives'} far more bytes of images than usual`,
      text: `${num(excess.observed / 1e6)} MB of images ${moved === 'out' ? 'sent' : 'received'} by ${who} today so far in ${counted(open.studies.size, 'studies')}; expected `
        + `${num(excess.expected / 1e6)} MB of ${num(studies)} studies (median study ${num(excess.median / 1e6)} MB, learned over ${days(device.lived)}); ${rarity(p)}.`,
    })]
  },
}

/** Work that was ordered explains itself, where orders are visible: then the studies counted today are the measure, else what is usual for such a day. */
function expectedStudies(way: 'out' | 'in', device: Device, site: Site): { studies: number; spread: number } {
  const pace = site.pace(device)
  let mean = 0
  let variance = 0
  for (const name of [`store.${way}`, `unread.${way}`]) {
    const stream = device.streams.get(name)
    if (stream === undefined) continue
    const usual = dayMean(stream, site.day, pace)
    // What a silence left undone comes later.
    mean += usual + 1.5 * stream.owed
    variance += usual * (1 + usual / daySize(stream))
  }
  const count = device.streams.get(`store.${way}`)
  const unordered = device.streams.get(`unexplained.${way}`)
  const ordered = count !== undefined && site.orders.visible(device.last) ? count.inDay - (unordered?.day === site.day ? unordered.inDay : 0) : 0
  return ordered > mean ? { studies: ordered, spread: 0 } : { studies: mean, spread: mean === 0 ? 0 : variance / mean }
}
