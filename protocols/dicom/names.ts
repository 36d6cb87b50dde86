/** Names of the unique identifiers that people meet (PS3.6 table A-1). Only for people: nothing is decided by a name. */

const TRANSFER_SYNTAXES: Record<string, string> = {
  '1.2.840.10008.1.2': 'Implicit VR Little Endian',
  '1.2.840.10008.1.2.1': 'Explicit VR Little Endian',
  '1.2.840.10008.1.2.1.99': 'Deflated Explicit VR Little Endian',
  '1.2.840.10008.1.2.2': 'Explicit VR Big Endian',
  '1.2.840.10008.1.2.4.50': 'JPEG Baseline (Process 1)',
  '1.2.840.10008.1.2.4.51': 'JPEG Extended (Process 2 & 4)',
  '1.2.840.10008.1.2.4.57': 'JPEG Lossless, Non-Hierarchical (Process 14)',
  '1.2.840.10008.1.2.4.70': 'JPEG Lossless, First-Order Prediction',
  '1.2.840.10008.1.2.4.80': 'JPEG-LS Lossless',
  '1.2.840.10008.1.2.4.81': 'JPEG-LS Near-Lossless',
  '1.2.840.10008.1.2.4.90': 'JPEG 2000 Lossless Only',
  '1.2.840.10008.1.2.4.91': 'JPEG 2000',
  '1.2.840.10008.1.2.4.100': 'MPEG2 Main Profile / Main Level',
  '1.2.840.10008.1.2.4.102': 'MPEG-4 AVC/H.264 High Profile / Level 4.1',
  '1.2.840.10008.1.2.5': 'RLE Lossless',
}

const STORAGE: Record<string, string> = {
  '1': 'Computed Radiography Image', '1.1': 'Digital X-Ray Image - For Presentation', '1.1.1': 'Digital X-Ray Image - For Processing',
  '1.2': 'Digital Mammography X-Ray Image - For Presentation', '1.2.1': 'Digital Mammography X-Ray Image - For Processing',
  '2': 'CT Image', '2.1': 'Enhanced CT Image', '3.1': 'Ultrasound Multi-frame Image', '4': 'MR Image', '4.1': 'Enhanced MR Image', '4.2': 'MR Spectroscopy',
  '6.1': 'Ultrasound Image', '7': 'Secondary Capture Image', '7.1': 'Multi-frame Single Bit Secondary Capture Image',
  '7.2': 'Multi-frame Grayscale Byte Secondary Capture Image', '7.4': 'Multi-frame True Color Secondary Capture Image', '9.1.1': '12-lead ECG Waveform',
  '11.1': 'Grayscale Softcopy Presentation State', '12.1': 'X-Ray Angiographic Image', '12.2': 'X-Ray Radiofluoroscopic Image',
  '13.1.3': 'Breast Tomosynthesis Image', '20': 'Nuclear Medicine Image', '66': 'Raw Data', '66.4': 'Segmentation', '77.1.4': 'VL Photographic Image',
  '88.11': 'Basic Text SR', '88.22': 'Enhanced SR', '88.33': 'Comprehensive SR', '88.50': 'Mammography CAD SR', '88.59': 'Key Object Selection Document',
  '88.67': 'X-Ray Radiation Dose SR', '104.1': 'Encapsulated PDF', '104.2': 'Encapsulated CDA', '128': 'Positron Emission Tomography Image',
  '481.1': 'RT Image', '481.2': 'RT Dose', '481.3': 'RT Structure Set', '481.5': 'RT Plan',
}

const SERVICES: Record<string, string> = {
  '1.2.840.10008.1.1': 'Verification',
  '1.2.840.10008.1.20.1': 'Storage Commitment Push Model',
  '1.2.840.10008.3.1.2.3.3': 'Modality Performed Procedure Step',
  '1.2.840.10008.3.1.2.3.4': 'Modality Performed Procedure Step Retrieve',
  '1.2.840.10008.5.1.1.9': 'Basic Grayscale Print Management',
  '1.2.840.10008.5.1.1.18': 'Basic Color Print Management',
  '1.2.840.10008.5.1.4.31': 'Modality Worklist - FIND',
  '1.2.840.10008.5.1.4.1.2.1.1': 'Patient Root Query/Retrieve - FIND',
  '1.2.840.10008.5.1.4.1.2.1.2': 'Patient Root Query/Retrieve - MOVE',
  '1.2.840.10008.5.1.4.1.2.1.3': 'Patient Root Query/Retrieve - GET',
  '1.2.840.10008.5.1.4.1.2.2.1': 'Study Root Query/Retrieve - FIND',
  '1.2.840.10008.5.1.4.1.2.2.2': 'Study Root Query/Retrieve - MOVE',
  '1.2.840.10008.5.1.4.1.2.2.3': 'Study Root Query/Retrieve - GET',
  '1.2.840.10008.5.1.4.34.6.1': 'Unified Procedure Step - Push',
}

const STORAGE_ROOT = '1.2.840.10008.5.1.4.1.1.'
const known = (table: Record<string, string>, key: string): string | undefined => Object.hasOwn(table, key) ? table[key] : undefined

/** The name of a SOP class or transfer syntax; the identifier itself where it has none here. */
export function uidName(uid: string): string {
  return known(SERVICES, uid) ?? known(TRANSFER_SYNTAXES, uid) ??
    (uid.startsWith(STORAGE_ROOT) ? known(STORAGE, uid.slice(STORAGE_ROOT.length)) : undefined) ?? uid
}

/** What a status says (PS3.7 annex C and the service classes of PS3.4): its class, and the number. */
export function statusClass(status: string): 'success' | 'pending' | 'cancel' | 'warning' | 'failure' {
  if (status === '0000') return 'success'
  if (status === 'FF00' || status === 'FF01') return 'pending'
  if (status === 'FE00') return 'cancel'
  return status === '0001' || status === '0107' || status === '0116' || status.startsWith('B') ? 'warning' : 'failure'
}
