/** One thing that a host showed of itself. */
import { LIMITS } from '../limits.ts'
import type { System } from './systems.ts'

export interface Claim {
  system: System | null
  hostname: string | null
  /** Where it was read, and what was read: plain words and numbers, text of the wire only where it is made safe. */
  evidence: string
  confidence: 'high' | 'medium' | 'low'
  /** Kind of evidence; a host tells each once, and again when it changes. */
  source: string
}

/** A name out of the wire: what names are made of, everything else as `?`; null where nothing is left. */
export function safeName(text: string): string | null {
  const name = text.trim().slice(0, LIMITS.host.nameChars).replace(/[^\w.-]/g, '?')
  return /^[?.]*$/.test(name) ? null : name
}

/** A product line out of the wire, as far as products are named so. */
export const safeProduct = (text: string): string => text.slice(0, LIMITS.host.productChars).replace(/[^\w ./;:()+~-]/g, '?')

/** @returns the claim of a system and nothing else */
export const systemClaim = (system: System, source: string, confidence: Claim['confidence'], evidence: string): Claim => ({ system, hostname: null, evidence, confidence, source })
/** @returns the claim of a name and nothing else */
export const nameClaim = (hostname: string, source: string, evidence: string): Claim => ({ system: null, hostname, evidence, confidence: 'medium', source })
