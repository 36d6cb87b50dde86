/** DICOM JSON (PS3.18 annex F) as a stream: how many data sets, and which patients they name. Nothing is held but the string that is being read. */
import { LIMITS } from '../../limits.ts'

const QUOTE = 0x22, COMMA = 0x2c, COLON = 0x3a, OPEN = 0x5b, BACKSLASH = 0x5c, CLOSE = 0x5d, BEGIN = 0x7b, END = 0x7d
/** `[{ "00100020": { "vr": "LO", "Value": [ "P1" ]}}]`: depths of the data set, of its elements, of a value. */
const DATA_SET = 2
const ELEMENT = 3
const VALUE = 4
const PATIENT_ID = '00100020'

export class DicomJson {
  /** Objects of the outermost array. */
  dataSets = 0
  readonly #onPatient: (id: string) => void
  #depth = 0
  #inString = false
  #isEscaped = false
  readonly #text = Buffer.alloc(LIMITS.dicom.textBytes)
  #length = 0
  #isCut = false
  /** A string that is a key or a value, as what follows tells. */
  #last: string | null = null
  #tag = ''
  #member = ''

  constructor(onPatient: (id: string) => void) {
    this.#onPatient = onPatient
  }

  feed(b: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at++) {
      const c = b[at]!
      if (this.#inString) this.#character(c)
      else switch (c) {
        case QUOTE:
          this.#inString = true
          this.#length = 0
          this.#isCut = false
          break
        case BEGIN: case OPEN:
          if (c === BEGIN && this.#depth === DATA_SET - 1) this.dataSets++
          this.#depth++
          this.#last = null
          break
        case END: case CLOSE:
          this.#value()
          this.#depth--
          break
        case COMMA: this.#value(); break
        case COLON:
          if (this.#depth === DATA_SET) this.#tag = this.#last ?? ''
          else if (this.#depth === ELEMENT) this.#member = this.#last ?? ''
          this.#last = null
          break
      }
    }
  }

  #character(c: number): void {
    if (c === QUOTE && !this.#isEscaped) {
      this.#inString = false
      this.#last = this.#depth < DATA_SET || this.#depth > VALUE || this.#isCut ? null : this.#string()
      return
    }
    this.#isEscaped = c === BACKSLASH && !this.#isEscaped
    if (this.#length < this.#text.length) this.#text[this.#length++] = c
    else this.#isCut = true
  }

  #string(): string | null {
    const text = this.#text.toString('utf8', 0, this.#length)
    if (!text.includes('\\')) return text
    try {
      return JSON.parse(`"${text}"`) as string
    } catch {
      return null
    }
  }

  #value(): void {
    const value = this.#last
    this.#last = null
    if (value !== null && this.#depth === VALUE && this.#tag === PATIENT_ID && this.#member === 'Value') this.#onPatient(value.trim())
  }
}
