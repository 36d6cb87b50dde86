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
  tls: {
    /** Bytes of a handshake message that wait for its end. Certificate chains stay below 16 KB; beyond, later messages go unread. */
    handshakeBytes: 64 * 1024,
    /** Characters kept of a name out of a handshake. A DNS name has at most 255. */
    textBytes: 256,
  },
} as const
