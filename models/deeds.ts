/** What an event says a device did, in the few words that roles are judged by. */
import type { DicomOperation } from '../protocols/events.ts'
import { MODALITY_WORKLIST_FIND } from '../protocols/dicom/uids.ts'
import type { Device } from './device.ts'

/** The service behind an operation: the command, or the worklist and procedure step services that share one. */
export function serviceOf(event: DicomOperation): string {
  if (event.command === 'C-FIND') return event.sop_class_uid === MODALITY_WORKLIST_FIND ? 'MWL' : 'C-FIND'
  if (event.command === 'N-CREATE' || event.command === 'N-SET') return 'MPPS'
  return event.command
}

export function did(device: Device, deed: string): void {
  device.deeds.set(deed, (device.deeds.get(deed) ?? 0) + 1)
}

/** Derived or accompanying objects say nothing of what a scanner is. */
const BESIDE = new Set(['SR', 'PR', 'KO', 'SC', 'OT', 'DOC', 'SEG', 'REG', 'PLAN'])

export function sentImage(device: Device, modality: string | null): void {
  if (modality === null || BESIDE.has(modality) || (device.modalities.size >= 16 && !device.modalities.has(modality))) return
  device.modalities.set(modality, (device.modalities.get(modality) ?? 0) + 1)
}

/** The modality it sends most of, by studies. */
export function latestModality(device: Device): string {
  let best = '?'
  let most = 0
  for (const [modality, n] of device.modalities) {
    if (n > most) {
      most = n
      best = modality
    }
  }
  return best.slice(0, 16)
}
