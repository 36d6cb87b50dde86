/** Whether an order is for imaging. */
import { latin1 } from '../bytes.ts'
import { Interner } from './intern.ts'

/** HL7 table 0074 (diagnostic service section, OBR-24): the sections that make pictures. */
const IMAGING = new Set(['CT', 'CTH', 'CUS', 'IMG', 'MR', 'MRI', 'NMR', 'NMS', 'NM', 'OUS', 'PET', 'RAD', 'RUS', 'RX', 'US', 'VUS', 'XA', 'XRC', 'MG', 'DX', 'CR', 'XR', 'RF'])
/** And those that certainly do not. */
const OTHER = new Set(['AU', 'BG', 'BLB', 'CG', 'CH', 'CP', 'EC', 'EN', 'GE', 'HM', 'ICU', 'IMM', 'LAB', 'MB', 'MCB', 'MYC', 'NRS', 'OT', 'PF', 'PHR', 'PHY', 'PT', 'RC', 'RT', 'SP', 'SR', 'TX', 'URN', 'VR'])

const sections = new Interner<boolean | undefined>(64, 16, (b, start, end) => {
  const section = latin1(b, start, end).trim().toUpperCase()
  return IMAGING.has(section) ? true : OTHER.has(section) ? false : undefined
})

/** OBR-24; undefined where it does not tell. */
export function isImagingSection(b: Uint8Array, start: number, end: number): boolean | undefined {
  return end > start ? sections.get(b, start, end) : undefined
}

/** Local codes of radiology systems usually begin with the modality: CTHEAD, MR-KNEE, US01. Only where it is set off or followed by capitals. */
const codes = new Interner<boolean | undefined>(1024, 32, (b, start, end) =>
  /^(CT|CTA|MR|MRI|XR|CR|DX|US|NM|PET|MG|RF|XA)([ ._-]|\d|$)|^(CT|MR|XR|US)[A-Z]{2,}/.test(latin1(b, start, Math.min(end, start + 32)).toUpperCase()) ? true : undefined)

/** OBR-4.1; true or unknown. */
export function isImagingCode(b: Uint8Array, start: number, end: number): boolean | undefined {
  return end > start ? codes.get(b, start, end) : undefined
}
