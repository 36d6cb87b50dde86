/** The protocols that are recognised, in the order they are asked. */
import { dicom } from './dicom/index.ts'
import { dicomweb } from './dicom/web/index.ts'
import { hl7 } from './hl7/index.ts'
import type { Protocol } from './protocol.ts'
import { tls } from './tls/index.ts'

export const PROTOCOLS: readonly Protocol[] = [dicom, dicomweb, hl7, tls]
