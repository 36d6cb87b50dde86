import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../../../models/alert.ts'
import { FORMATS, fitted, type Format } from '../../../../src/sinks/formats/index.ts'
import { VERSION } from '../../../../src/version.ts'
import { makeAlert } from '../../alert.ts'
import { parseCef } from './cef.ts'

const cases: Record<string, Alert> = {
  full: makeAlert(),
  // The first revision, of a rule, from an IPv6 host that is alone in it.
  bare: makeAlert({
    revision: 1, severity: 'info', score: 0, peers: [], attack: [], flows: [], hosts: ['fd00::9'],
    device: { id: 'dev-x', role: 'unknown', name: 'fd00::9', ip: ['fd00::9'], mac: [], ae_titles: [] },
    evidence: [{ detector: 'ae-guessing', group: 'protocol', at: 0, p: null, observed: 5, expected: 0, unit: 'titles', text: 'five titles', flows: [] }],
  }),
}
const formats = Object.keys(FORMATS) as Format[]

describe('golden files', () => {
  test.each(formats.flatMap((format) => Object.keys(cases).map((name) => [format, name] as const)))('is %s of the %s alert what it was?', async (format, name) => {
    const line = FORMATS[format](cases[name]!).replaceAll(VERSION, '0.0.0')
    const text = format === 'cef' ? `${line}\n` : `${JSON.stringify(JSON.parse(line), null, 2)}\n`
    await expect(text).toMatchFileSnapshot(`golden/${name}.${format}${format === 'cef' ? '' : '.json'}`)
  })
})

/** What people put into AE titles and MSH fields to break the readers of logs. */
const HOSTILE = 'CT\r\n\0\x1b[2J\x07|pipe|a=b]"quoted"\\back\\\u2028\u202eCEF:0|x|y|z|1|t|10|src=6.6.6.6'

/** Every text of the alert, replaced. */
function poisoned(text: string): Alert {
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return text
    if (Array.isArray(value)) return value.map(walk)
    if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, walk(v)]))
    return value
  }
  const alert = makeAlert()
  const bad = walk(alert) as Alert
  const evidence = bad.evidence.map((e, i) => ({ ...e, group: alert.evidence[i]!.group }))
  return { ...bad, schema: alert.schema, severity: alert.severity, evidence }
}

const oneRecord = (line: string): void => { expect(line).not.toMatch(/[\0-\x1f\x7f]/) }

describe('R28: hostile text', () => {
  test.each(formats)('does it leave %s one record that reads back?', (format) => {
    for (const text of [HOSTILE, ...HOSTILE]) {
      const line = FORMATS[format](poisoned(text))
      oneRecord(line)
      if (format === 'cef') {
        const { head, fields } = parseCef(line)
        expect(head).toHaveLength(7)
        expect(head[6]).toBe('8')
        expect(fields.has('dvchost')).toBe(true)
        expect(fields.get('cn1')).toBe('2')
        expect(fields.get('src')).not.toBe('6.6.6.6')
      } else {
        expect(Object.keys(JSON.parse(line) as object)).toEqual(Object.keys(JSON.parse(FORMATS[format](makeAlert())) as object))
      }
    }
  })

  test('does any text come back from CEF but for its control characters?', () => {
    const printable = fc.string({ unit: fc.constantFrom('a', '|', '\\', '=', ' ', '\n', '\r', 'src', '\\n', 'é', '"', ']') })
    fc.assert(fc.property(printable, (text) => {
      const { head, fields } = parseCef(FORMATS.cef(makeAlert({ title: text, explanation: text, id: text })))
      expect(head[5]).toBe(text.replace(/[\r\n]+/g, ' '))
      expect(fields.get('externalId')).toBe(text)
      expect(fields.get('msg')).toBe(text)
    }))
  })
})

describe('a form of bounded size', () => {
  const long = makeAlert({
    explanation: 'é'.repeat(4000), flows: Array.from({ length: 300 }, (_, i) => `1:${i}`), hosts: Array.from({ length: 300 }, (_, i) => `10.0.0.${i}`),
    evidence: Array.from({ length: 100 }, () => ({ ...makeAlert().evidence[0]!, text: 'x'.repeat(900) })),
  })

  test.each(formats)('is %s shortened to what the receiver takes, and does its id stay?', (format) => {
    for (const limit of [100_000, 8000, 4096]) {
      const line = fitted(long, format, limit)
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(limit)
      expect(line).toContain(long.id)
    }
    expect(fitted(makeAlert(), format, 100_000)).toBe(FORMATS[format](makeAlert()))
    // Even where nothing fits, there is something to send.
    expect(fitted(long, format, 10)).toContain(long.id)
  })

  test('does CEF fit the usual message of syslog?', () => {
    expect(Buffer.byteLength(fitted(long, 'cef', 2048))).toBeLessThanOrEqual(2048)
  })
})
