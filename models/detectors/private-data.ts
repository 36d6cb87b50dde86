import type { DicomOperation } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { classOf, countFrom, shareFrom } from '../baseline/classes.ts'
import { LOOK } from '../baseline/counts.ts'
import { PRIVATE_CLASSES, imaging, mature, nameOf, type Device } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, counted, evidence, num, rarity, type Detector } from './detector.ts'

/** Studies of a scanner that have to be known before one is said to hold much. */
const ENOUGH = 100
/** Much: a quarter of it is still rarer than this among its studies. */
const UNUSUAL = 5e-3
const QUARTER = 2
/** One or two may be anything. */
const SEVERAL = 3
/** A claim that stays low: from one study on, most of them have it. */
const ORDINARY = 5e-6

export const privateData: Detector<'dicom.operation'> = {
  id: 'private-data',
  question: 'Do images of a scanner hold far more private data than they ever did?',
  wants: ['dicom.operation'],
  group: 'meaning',
  objective: 'collection',
  attack: ['T1001.003', 'T1030'],
  falsePositives: ['a new software of the scanner, which keeps more in its images', 'an examination that was never done here'],

  judge(event: DicomOperation, device: Device, _site: Site, scene: Scene): readonly Evidence[] {
    const known = device.privateSizes
    // Archives and readers pass on what scanners made; they are judged.
    if (scene.privateBytes === 0 || known === undefined || !imaging(device) || !mature(device)) return NONE
    const class_ = classOf(scene.privateBytes, PRIVATE_CLASSES)
    if (countFrom(known, 0) < ENOUGH || shareFrom(known, class_ - QUARTER) > UNUSUAL) return NONE
    return judgeShare(event, device, scene, class_, known)
  },
}

function judgeShare(event: DicomOperation, device: Device, scene: Scene, class_: number, known: readonly number[]): readonly Evidence[] {
  const { today: { bytes: { out: { studies } }, privates } } = device
  const sums: number[] = []
  let [since, place] = [0, 0]
  for (const study of studies.keys()) {
    const held = privates!.get(study)
    if (held !== undefined && classOf(held.most, PRIVATE_CLASSES) >= class_) {
      if (sums.length === 0) since = place
      sums.push(held.sum)
    }
    place++
  }
  const sizes = device.sizes.get('store.out')
  const hits = sums.length
  if (hits < SEVERAL || sizes === undefined || alike(sums) < Math.exp(sizes.mean)) return NONE
  const tries = studies.size
  const share = shareFrom(known, class_)
  const arithmetic: Factor[] = [{ of: 'share', hits, tries, share }]
  if (hits > (tries - since) / 2) arithmetic.push({ of: 'cap', why: 'from one study on most of them hold it, as with new software', least: ORDINARY })
  const p = rarityOf(arithmetic)
  if (p > LOOK) return NONE
  const who = nameOf(device)
  return [evidence(privateData, event, {
    actor: device, peer: scene.peer, p, arithmetic, observed: hits, expected: share * tries, unit: 'studies with much private data', service: event.command,
    title: `${who} sends images with far more private data than usual`,
    text: `${hits} of ${counted(tries, 'studies')} by ${who} today had objects with ${num(2 ** class_ / 1000)} kB or more in private elements (this one ${num(scene.privateBytes / 1000)} kB); `
      + `of those before, ${num(100 * share)} % at most; ${rarity(p)}.`,
  })]
}

/** The most that some of them hold together, three or more and each as much: one or two that hold a lot make no others matter. */
const alike = (sums: number[]): number => Math.max(...sums.sort((a, b) => b - a).slice(SEVERAL - 1).map((sum, i) => sum * (i + SEVERAL)))
