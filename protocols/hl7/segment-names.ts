/**
 * Segment names (HL7 v2.5.1 appendix A) as numbers, so that a name is compared at once: three bytes, the first one highest. Written out and not
 * calculated, because a plain literal is put into the code that uses it.
 */
export const nameAt = (b: Uint8Array, at: number): number => (b[at]! << 16) | (b[at + 1]! << 8) | b[at + 2]!

/** Stands for the name of what has none. */
export const NAMELESS = 0

export const ADD = 0x414444
export const BHS = 0x424853
export const BTS = 0x425453
export const DSC = 0x445343
export const ERR = 0x455252
export const FHS = 0x464853
export const FTS = 0x465453
export const IPC = 0x495043
export const MRG = 0x4D5247
export const MSA = 0x4D5341
export const MSH = 0x4D5348
export const OBR = 0x4F4252
export const OBX = 0x4F4258
export const ORC = 0x4F5243
export const PID = 0x504944
export const QPD = 0x515044
export const QRD = 0x515244
export const RCP = 0x524350
export const ZDS = 0x5A4453
