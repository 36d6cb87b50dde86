/** What is handed on when one message answers another. */

/** An acknowledgement as it was read. */
export interface Answer {
  readonly code: string
  /** MSA-5 says that it was only received, and that another follows when the work is done. */
  readonly isDelayed: boolean
  /** MSA-2. */
  readonly of: string
  readonly controlId: string | null
  readonly messageType: string | null
  readonly bytes: number
  readonly patients: number
  readonly error: string | undefined
}

/** What became of the acknowledgement: part of its message; too late for it; not for anything here. */
export type Taken = 'taken' | 'late' | 'unknown'
