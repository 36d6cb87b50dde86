/** What nobody mends any more is what intruders and worms look for: a factor of evidence that there is anyway, never evidence by itself. */
import type { Micros } from '../protocols/events.ts'
import { rarityOf, type Factor } from './arithmetic.ts'
import { nameOf, type Device } from './device.ts'
import type { Evidence } from './evidence.ts'

/** Half as likely to be harmless, no more: old systems live long and mostly in peace. */
const PAST_END_OF_LIFE = 0.5

/**
 * The evidence, weightier where it is of breaking in or spreading and one of the two devices runs a system past its end of life. How busy or how
 * curious a device is has nothing to do with the age of its system.
 */
export function aged(evidence: Evidence): Evidence {
  if (evidence.p === null || (evidence.objective !== 'movement' && evidence.group !== 'protocol')) return evidence
  const old = [evidence.actor, evidence.peer].find((device) => device !== null && pastEndOfLife(device, evidence.at))
  if (old === undefined || old === null) return evidence
  const why = `the operating system of ${nameOf(old)} has had no updates since ${old.eol}`
  const arithmetic: Factor[] = [...evidence.arithmetic, { of: 'weight', why, times: PAST_END_OF_LIFE }]
  return { ...evidence, arithmetic, p: rarityOf(arithmetic), text: `${evidence.text} T${why.slice(1)}.` }
}

const pastEndOfLife = ({ eol }: Device, at: Micros): boolean => eol !== undefined && eol !== null && Date.parse(eol) * 1000 < at
