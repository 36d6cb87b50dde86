/** Small pieces of readable text. */
import type { Flow, Micros } from '../../protocols/events.ts'
import { rfc3339 } from '../../protocols/time.ts'
import { printable } from '../sinks/terminal.ts'

/** `08:15:02.123` of the day; the day stands in the head. */
export const clock = (at: Micros): string => rfc3339(at).slice(11, 23)

export const amount = (n: number, noun: string): string => `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`

export function seconds(micros: number): string {
  return micros < 1e6 ? `${(micros / 1000).toFixed(1)} ms` : `${(micros / 1e6).toFixed(1)} s`
}

/** Text of the wire, or a dash. */
export const shown = (text: string | null | undefined): string => text === null || text === undefined || text === '' ? '-' : printable(text)

export const ends = ({ client, server }: Flow): string => `${client.ip}:${client.port} -> ${server.ip}:${server.port}`

/** Columns as wide as their widest cell; the last is not padded. */
export function table(rows: string[][], indent: string): string[] {
  const widths = rows.reduce<number[]>((w, row) => row.map((cell, i) => Math.max(w[i] ?? 0, cell.length)), [])
  return rows.map((row) => indent + row.map((cell, i) => i === row.length - 1 ? cell : cell.padEnd(widths[i]!)).join('  '))
}

/** The value below which a share of the sorted numbers lies. */
export const quantileOf = (sorted: number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
