import type { DicomOperation } from '../../protocols/events.ts'
import { rarityOf, type Factor } from '../arithmetic.ts'
import { QUARTER, classOf, countFrom, shareFrom } from '../baseline/classes.ts'
import { LOOK } from '../baseline/counts.ts'
import { PRIVATE_CLASSES, imaging, mature, nameOf, type Device, type Privates } from '../device.ts'
import type { Evidence } from '../evidence.ts'
import { lateDays } from '../privates.ts'
import type { Scene } from '../scene.ts'
import type { Site } from '../site.ts'
import { NONE, counted, evidence, num, rarity, type Detector } from './detector.ts'

/** Studies of a scanner that have to be known before one is said to hold much. */
const ENOUGH = 100
/** Much: a quarter of it is still rarer than this among its studies. */
const UNUSUAL = 5e-3
/** What is less than this share of the rest of its object is no freight. */
const FREIGHT = 1 / 4
/** One or two may be anything. */
const SEVERAL = 3
/** The day, and the days of late with it, are looked at. */
const WINDOWS = 2
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
    const { privateBytes: bytes } = scene
    const known = device.privates?.known
    // Archives and readers pass on what scanners made; they are judged.
    if (bytes === 0 || known === undefined || !imaging(device) || !mature(device)) return NONE
    const class_ = classOf(bytes, PRIVATE_CLASSES)
    if (bytes < FREIGHT * (event.dataset!.bytes - bytes) || countFrom(known, 0) < ENOUGH || shareFrom(known, class_ - QUARTER) > UNUSUAL) return NONE
    return judgeShare(event, device, scene, class_, known)
  },
}

function judgeShare(event: DicomOperation, device: Device, scene: Scene, class_: number, known: readonly number[]): readonly Evidence[] {
  const { studies } = device.today.bytes.out
  let [hits, since, place] = [0, 0, 0]
  for (const study of studies.keys()) {
    if (classOf(device.today.privates!.get(study) ?? 0, PRIVATE_CLASSES) >= class_ && hits++ === 0) since = place
    place++
  }
  const late = lateDays(device.privates!, scene.day)
  const today = { hits, tries: studies.size, days: 1 }
  const week = { hits: hits + studiesOf(late, class_), tries: studies.size + studiesOf(late, 0), days: late.length + 1 }
  const share = shareFrom(known, class_)
  const factorsOf = ({ hits, tries }: typeof today): Factor[] => [{ of: 'share', hits, tries, share }, { of: 'weight', why: 'the day and the days of late were both looked at', times: WINDOWS }]
  const [window, arithmetic] = [today, week].map((one) => [one, factorsOf(one)] as const).reduce((rarest, one) => (rarityOf(one[1]) < rarityOf(rarest[1]) ? one : rarest))
  if (window.hits < SEVERAL) return NONE
  const began = late.findIndex(({ sizes }) => countFrom(sizes, class_) > 0)
  const after = began < 0 ? studies.size - since : studies.size + studiesOf(late.slice(began), 0)
  if (week.hits > after / 2) {
    // That was told on the day it began.
    if (began >= 0) return NONE
    arithmetic.push({ of: 'cap', why: 'from one study on most of them hold it, as with new software', least: ORDINARY })
  }
  const p = rarityOf(arithmetic)
  if (p > LOOK) return NONE
  const who = nameOf(device)
  return [evidence(privateData, event, {
    actor: device, peer: scene.peer, p, arithmetic, observed: window.hits, expected: share * window.tries, unit: 'studies with much private data', service: event.command,
    title: `${who} sends images with far more private data than usual`,
    text: `${window.hits} of ${counted(window.tries, 'studies')} by ${who} ${window.days === 1 ? 'today' : `in ${window.days} days until now`} had objects with ${num(2 ** class_ / 1000)} kB or more in private elements `
      + `(this one ${num(scene.privateBytes / 1000)} kB); of those before, ${num(100 * share)} % at most; ${rarity(p)}.`,
  })]
}

/** Studies of these days from a class on. */
const studiesOf = (days: Privates['late'], class_: number): number => days.reduce((sum, { sizes }) => sum + countFrom(sizes, class_), 0)
