/**
 * Every cap of the decoder: what it bounds, its unit, why it has this value, and what happens when it is reached.
 * Each reaching is counted under the cap's name (`capture` event, `dropped`), and what it cut says `complete: false`.
 * Grouped by room; nothing outside this file invents a cap.
 */
export const LIMITS = {
  capture: {
    /** Bytes of one record. tcpdump's MAXIMUM_SNAPLEN; a larger claim is a broken file: reading stops there. */
    recordBytes: 256 * 1024 * 1024,
  },
  net: {},
  tcp: {},
  dicom: {},
  hl7: {},
} as const
