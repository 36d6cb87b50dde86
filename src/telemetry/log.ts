/** What the service says of itself, on standard error: JSON lines for whoever collects them, one readable line for whoever sits in front of it. */
import { pino } from 'pino'
import { withoutInvisible } from '../../protocols/invisible.ts'

export interface Log {
  info(line: string, fields?: Record<string, unknown>): void
  warn(line: string, fields?: Record<string, unknown>): void
  error(line: string, fields?: Record<string, unknown>): void
}

/** Characters of a line. What comes from the wire or a broker may be long, and a log must not fill a disk. */
const MOST = 2000

export function openLog(sensor: string, { isTerminal = process.stderr.isTTY === true }: { isTerminal?: boolean } = {}): Log {
  if (isTerminal) {
    const line = (text: string): void => { process.stderr.write(`wardwire: ${cut(text)}\n`) }
    return { info: line, warn: line, error: line }
  }
  // Written at once: the last line before a crash is the one that matters.
  const logger = pino({ base: { sensor }, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } }, pino.destination({ dest: 2, sync: true }))
  return {
    info: (text, fields = {}) => logger.info(fields, cut(text)),
    warn: (text, fields = {}) => logger.warn(fields, cut(text)),
    error: (text, fields = {}) => logger.error(fields, cut(text)),
  }
}

const cut = (text: string): string => withoutInvisible(text.slice(0, MOST), ' ')
