/** Unique identifiers (PS3.6 annex A) that the decoder or its builders name. All others pass through as text. */

export const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1'

// Transfer syntaxes (PS3.5 section 10). Whatever is not named here is explicit VR little endian with encapsulated pixel data (A.4).
export const IMPLICIT_LE = '1.2.840.10008.1.2'
export const EXPLICIT_LE = '1.2.840.10008.1.2.1'
export const DEFLATED_LE = '1.2.840.10008.1.2.1.99'
export const EXPLICIT_BE = '1.2.840.10008.1.2.2'
export const JPEG_BASELINE = '1.2.840.10008.1.2.4.50'
export const JPEG_LOSSLESS = '1.2.840.10008.1.2.4.70'
export const JPIP_DEFLATE = '1.2.840.10008.1.2.4.95'
export const JPIP_HTJ2K_DEFLATE = '1.2.840.10008.1.2.4.205'

// Service classes (PS3.4).
export const VERIFICATION = '1.2.840.10008.1.1'
export const STORAGE_COMMITMENT = '1.2.840.10008.1.20.1'
export const STORAGE_COMMITMENT_INSTANCE = '1.2.840.10008.1.20.1.1'
export const MPPS = '1.2.840.10008.3.1.2.3.3'
export const MODALITY_WORKLIST_FIND = '1.2.840.10008.5.1.4.31'
export const PATIENT_ROOT_FIND = '1.2.840.10008.5.1.4.1.2.1.1'
export const STUDY_ROOT_FIND = '1.2.840.10008.5.1.4.1.2.2.1'
export const STUDY_ROOT_MOVE = '1.2.840.10008.5.1.4.1.2.2.2'
export const STUDY_ROOT_GET = '1.2.840.10008.5.1.4.1.2.2.3'

// Storage SOP classes (PS3.4 annex B.5) of the usual modalities.
export const DX_IMAGE = '1.2.840.10008.5.1.4.1.1.1.1'
export const CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2'
export const US_IMAGE = '1.2.840.10008.5.1.4.1.1.6.1'
export const MR_IMAGE = '1.2.840.10008.5.1.4.1.1.4'
export const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7'
export const ENCAPSULATED_PDF = '1.2.840.10008.5.1.4.1.1.104.1'
