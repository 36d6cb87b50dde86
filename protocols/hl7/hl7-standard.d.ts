/** What is used of hl7-standard 1.0.4, which has no types of its own. */
declare module 'hl7-standard' {
  export default class HL7 {
    constructor(data: string, options?: { lineEndings?: string })
    /** Segment name to its occurrences; `data` is keyed by `PID.3`, values are text, or objects keyed by `PID.3.1`, or arrays of either. */
    transformed: Record<string, { index: number, data: Record<string, unknown> }[]>
    /** Parses; throws on what it does not take. */
    transform(): void
    /** `get('PID.3.1', segment, repetition, subcomponent)`, all from 0; null where there is nothing. */
    get(path: string, segment?: number, repetition?: number, subcomponent?: number): unknown
  }
}
