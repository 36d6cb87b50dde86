/** DICOM on TCP: PS3.8 upper layer, PS3.7 messages, the head of PS3.5 data sets. Read `dissector.ts` first. */
import type { Protocol } from '../protocol.ts'
import { open } from './dissector.ts'
import { probe } from './recognition.ts'

export const dicom: Protocol = { name: 'dicom', probe, open }
