/** What a message of the events topic says about its event outside the event: CloudEvents 1.0, binary mode, with as few headers as it takes. */
import { CONTENT_TYPE, sourceOf } from './cloudevents.ts'

/** Which event of which run of which sensor. */
export interface EventMark {
  sensor: string
  /** How the sensor captures: `replay` or `live`. */
  source: string
  /** The run: the same frames give the same one. */
  stream: string
  /** The how-manieth event of the stream, from 0. */
  n: number
}

export const EVENT_TYPE = 'wardwire.event.v1'

export const markHeaders = ({ sensor, source, stream, n }: EventMark): Record<string, string> => ({
  ce_specversion: '1.0', ce_id: `${stream}.${n}`, ce_source: sourceOf(sensor), ce_type: EVENT_TYPE, ce_capture: source, 'content-type': CONTENT_TYPE,
})

type Headers = Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>

/** @returns undefined when the headers are not ours */
export function readMark(headers: Headers | undefined): EventMark | undefined {
  const text = (name: string): string => String(headers?.[name] ?? '').slice(0, 512)
  const id = /^([0-9a-z-]{1,64})\.(\d{1,15})$/.exec(text('ce_id'))
  const source = /^\/sensor\/(.{1,400})$/s.exec(text('ce_source'))
  if (id === null || source === null || text('ce_type') !== EVENT_TYPE) return undefined
  try {
    return { sensor: decodeURIComponent(source[1]!), source: text('ce_capture'), stream: id[1]!, n: Number(id[2]) }
  } catch {
    return undefined
  }
}
