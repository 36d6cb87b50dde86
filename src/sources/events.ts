/** Events out of captures, for programs that want them without models and alerts. */
import { Decoder } from '../../protocols/decoder.ts'
import type { WireEvent } from '../../protocols/events.ts'
import { Pseudonyms } from '../../protocols/phi.ts'
import { userKey } from '../store/site-key.ts'
import { readCaptures } from './captures.ts'

export interface ReadEventsOptions {
  /** The key behind pseudonyms, at least 16 bytes; default: the user's own, as in `wardwire replay`. */
  siteKey?: Uint8Array
  /** As in the site's other tools; default 0. */
  communityIdSeed?: number
  /** Called with one line for each input that could not be read to its end; without it, that is thrown when all else has been read. */
  onProblem?: (line: string) => void
}

/**
 * Reads captures in capture-time order. Times are microseconds since 1970; `eventJson` makes an event the published JSON.
 * @param paths pcap or pcapng, plain, gzip or zstd; `-` is standard input
 * @throws when an input can't be read and nobody hears of it
 */
export async function * readEvents(paths: readonly string[], options: ReadEventsOptions = {}): AsyncGenerator<WireEvent, void, void> {
  const { siteKey = userKey(() => {}), communityIdSeed = 0, onProblem } = options
  const stop = new AbortController()
  let ready: WireEvent[] = []
  let over = false
  let wake = (): void => {}
  const taken = { resolve: (): void => {} }
  const decoder = new Decoder({ pseudonyms: new Pseudonyms(siteKey), communityIdSeed, emit: (event) => ready.push(event) })
  const reading = readCaptures(paths, {
    onFrame: (frame) => decoder.frame(frame),
    afterChunk: async () => {
      if (ready.length === 0 || stop.signal.aborted) return
      wake()
      // Reading goes on when these have been taken, so memory holds the events of one chunk.
      await new Promise<void>((resolve) => { taken.resolve = resolve })
    },
    signal: stop.signal,
  }).then((result) => { decoder.finish(result.truncated); return result }).finally(() => { over = true; wake() })
  // It may fail before anybody waits for it.
  reading.catch(() => {})
  try {
    for (;;) {
      if (ready.length === 0 && !over) await new Promise<void>((resolve) => { wake = resolve })
      const batch = ready
      ready = []
      yield * batch
      taken.resolve()
      if (over && ready.length === 0) break
    }
    const lines = (await reading).problems.map(({ path, text }) => `${path}: ${text}`)
    if (lines.length > 0 && onProblem === undefined) throw new Error(lines.join('; '))
    for (const line of lines) onProblem?.(line)
  } finally {
    stop.abort()
    taken.resolve()
    // Who breaks off the loop is not interested in how reading ends, but files are closed then.
    await reading.catch(() => {})
  }
}
