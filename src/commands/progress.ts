/** One line on a terminal that says how far a long read has come: bytes, percent, rate, time left. */

export interface Progress {
  bytes: number
  /** Null where the size is not known (a stream). */
  totalBytes: number | null
}

/** Milliseconds between two updates: often enough to look alive, too rare to cost anything. */
const EVERY = 250

/** @param out nothing is written when it is no terminal */
export function progressLine(out: NodeJS.WriteStream): { show(p: Progress): void; clear(): void } {
  if (!out.isTTY) return { show: () => {}, clear: () => {} }
  const began = Date.now()
  let next = began + EVERY
  let shown = false
  return {
    show({ bytes, totalBytes }) {
      const now = Date.now()
      if (now < next) return
      next = now + EVERY
      shown = true
      const rate = bytes / ((now - began) / 1000)
      const left = totalBytes === null || bytes === 0 ? '' : `, ${Math.max(0, Math.ceil((totalBytes - bytes) / rate))} s left`
      const percent = totalBytes === null ? '' : ` (${Math.min(100, Math.floor((bytes / totalBytes) * 100))} %)`
      out.write(`\r\x1b[K${(bytes / 1e6).toFixed(0)} MB${percent}, ${(rate / 1e6).toFixed(0)} MB/s${left}`)
    },
    clear() {
      if (shown) out.write('\r\x1b[K')
    },
  }
}
