/** What the capturing process is told, and how it says why it can't go on. */

export interface LiveOptions {
  interfaces: readonly string[]
  /** A capture filter of libpcap (pcap-filter(7)); empty: everything. */
  filter: string
  /** Bytes kept of each frame. */
  snapLength: number
  /** Bytes of the kernel's buffer, for each interface. */
  bufferBytes: number
}

export const LIVE: Omit<LiveOptions, 'interfaces'> = {
  filter: '',
  // Network cards join segments to frames of 64 KB and more (GRO): 65,535, the usual default, would cut them.
  snapLength: 262_144,
  bufferBytes: 64 * 1024 * 1024,
}

/** Exit codes of the capturing process, and with which one the program ends when it is so from the start: 2 for what was typed wrong. */
export const FAULTS = {
  library: { code: 10, exit: 1 },
  right: { code: 11, exit: 1 },
  interface: { code: 12, exit: 2 },
  filter: { code: 13, exit: 2 },
  gone: { code: 14, exit: 1 },
} as const
export type Fault = keyof typeof FAULTS
