/** What the report and the console show: plain JSON, made by `gather.ts` and read by the page. Times are capture time in microseconds. */
import type { Alert } from '../../models/alert.ts'
import type { InventoryItem } from '../../models/posture/inventory.ts'
import type { SegmentAudit } from '../../models/posture/segments.ts'
import type { DeviceView } from '../../models/outlook.ts'
import type { Micros } from '../../protocols/events.ts'

/** Counts of one device and stream by local day: `days[i]` is a day since 1970. */
export interface Series {
  stream: string
  unit: string
  days: number[]
  observed: number[]
  expected: number[]
  /** A normal day stays below this 999 times in 1,000; null where nothing bounds it. */
  high: (number | null)[]
  /** Days the stream has learned from. */
  learned: number
}

/** All conversations that one host opened to another, by the devices they belong to. */
export interface Edge {
  /** Device ids; `client` opened the conversations. */
  client: string
  server: string
  flows: number
  bytes: number
  /** Uses by DIMSE command, HL7 message type, or protocol. */
  services: Record<string, number>
  ports: number[]
  /** Conversations inside TLS. */
  encrypted: number
  first: Micros
  last: Micros
}

export interface ReportDevice extends DeviceView {
  /** Conversations that it tried to open and that nobody answered or accepted. */
  failed: number
  /** Not there during the first days of watching. */
  isNew: boolean
}

export interface Timeline {
  start: Micros
  /** Microseconds of one bucket. */
  step: Micros
  dicom: number[]
  hl7: number[]
  /** Conversations of other protocols that ended. */
  other: number[]
  /** Payload bytes as they became known: an operation's data set, a message, the rest of a conversation at its end. */
  bytes: number[]
}

/** What was not seen, so that silence is not read as safety. */
export interface Unseen {
  frames: number
  frameBytes: number
  /** Frames and bytes that went no further, by reason. */
  dropped: Record<string, number>
  /** Bytes that the conversations prove missing. */
  lostBytes: number
  truncated: boolean
  /** Conversations and their payload, by what they were recognised as. */
  protocols: Record<string, { flows: number; bytes: number }>
  midstream: number
  unanswered: number
  refused: number
  /** Events that loss, slicing or the end of the capture cut short, by kind. */
  incomplete: Record<string, number>
  /** Violations of the standards by code. */
  violations: Record<string, number>
  /** Pairs of hosts that found no room in the map. */
  edgesBeyond: number
  devicesBeyond: number
  alertsBeyond: number
}

/** What the page shows of a device's inventory line. */
export type InventoryRow = Pick<InventoryItem, 'id' | 'name' | 'role' | 'medical' | 'ip' | 'manufacturer' | 'model' | 'software' | 'serial' | 'station' | 'institution' | 'mac_vendor' | 'hostname'
  | 'implementation' | 'os' | 'system' | 'services_offered' | 'confidence' | 'evidence'>

/** Inventory and segmentation audit of the same run. */
export interface PostureView {
  inventory: InventoryRow[]
  segments: SegmentAudit
}

export interface ReportData {
  v: 1
  version: string
  sensor: string
  /** Names of the captures, as given; empty when live. */
  files: string[]
  /** The file or folder that commands name to find these alerts again. */
  origin?: string
  span: { from: Micros; to: Micros } | null
  events: Record<string, number>
  alerts: Alert[]
  devices: ReportDevice[]
  edges: Edge[]
  timeline: Timeline
  /** By device id. */
  series: Record<string, Series[]>
  unseen: Unseen
  posture?: PostureView
}
