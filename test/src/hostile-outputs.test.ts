/** Text from the wire that wants to be markup, a formula, a terminal command or a second record: walked through everything that wardwire writes. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonLines, wardwire, type Run } from './program.ts'
import { hostileCapture } from './report/hostile.ts'

/** What nobody sees, line ends apart. Not the program's own list. */
const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufeff\ufff9-\ufffb]|\udb40/

let folder: string
let run: (args: string[]) => Promise<Run>
const file = (name: string): string => join(folder, name)
const read = (name: string): string => readFileSync(file(name), 'utf8')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wardwire-hostile-'))
  run = async (args) => {
    const done = await wardwire(args, { env: { XDG_STATE_HOME: folder, NO_COLOR: '1' } })
    expect(done.code, done.stderr).toBe(0)
    return done
  }
  writeFileSync(file('hostile.pcap'), hostileCapture())
  await run(['replay', file('hostile.pcap'), '--alerts', file('alerts.jsonl'), '--events', file('events.jsonl'), '--state', file('state'),
    '--inventory', file('inventory.csv'), '--segments', file('rules.nft'), '--report', file('report.html')])
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('what people read', () => {
  test.each([
    ['the list of alerts', ['replay', 'hostile.pcap']],
    ['inspect', ['inspect', 'hostile.pcap']],
    ['the inventory', ['inventory', '--state', 'state']],
    ['the audit of networks', ['segments', '--state', 'state']],
    ['the baseline', ['baseline', '--state', 'state']],
    ['the explanation of an alert', ['baseline', 'explain', 'ALERT', '--state', 'state']],
  ])('does %s hold nothing that a terminal obeys or nobody sees?', async (_, args) => {
    const alert = jsonLines(read('alerts.jsonl')).at(-1)!['id'] as string
    const { stdout, stderr } = await run(args.map((arg) => (arg === 'ALERT' ? alert : existsSync(file(arg)) ? file(arg) : arg)))
    expect(stdout.length).toBeGreaterThan(100)
    expect(UNSEEN.exec(stdout + stderr)).toBeNull()
  })

  test('does the page hold its own two scripts, and no third?', () => {
    expect(read('report.html').match(/<script[\s>]/g)).toHaveLength(2)
    expect(read('report.html')).not.toMatch(/<(img|svg|b)[\s>]/)
  })
})

describe('what programs read', () => {
  test.each(['alerts.jsonl', 'events.jsonl'])('is each line of %s one JSON object, with the text in it whole?', (name) => {
    expect(jsonLines(read(name)).length).toBeGreaterThan(1)
    expect(read(name)).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  })

  test.each(['cef', 'ecs', 'ocsf'])('is an alert one line of %s?', async (format) => {
    await run(['replay', file('hostile.pcap'), '--alerts', file(`alerts.${format}`), '--format', format])
    const lines = read(`alerts.${format}`).trimEnd().split('\n')
    expect(lines).toHaveLength(jsonLines(read('alerts.jsonl')).length)
    if (format !== 'cef') return void lines.map((line) => JSON.parse(line) as unknown)
    // Seven bars that are not escaped end the head; in the values no line end is left, and an = only behind a key or escaped.
    for (const line of lines) {
      expect(UNSEEN.exec(line)).toBeNull()
      expect(line).toMatch(/^CEF:0\|(?:(?:[^|\\]|\\.)*\|){6}/)
    }
  })

  test('is a device one record of the table, and no cell a formula?', () => {
    const text = read('inventory.csv')
    const records = csvRecords(text)
    expect(records.length).toBeGreaterThan(3)
    expect(new Set(records.map((record) => record.length)).size).toBe(1)
    for (const cell of records.flat()) {
      expect(cell).not.toMatch(/^[=+\-@\t\r]/)
      expect(UNSEEN.exec(cell)).toBeNull()
    }
  })

  test('is a rule set nothing but rules?', () => {
    for (const line of read('rules.nft').trimEnd().split('\n')) {
      expect(line).toMatch(/^( ?\}|table inet wardwire \{| chain medical \{| {2}type filter hook forward priority filter; policy accept;| {2}ct state established,related accept| {2}ip6? saddr \{ [0-9a-f.:, ]+ \} ip6? daddr [0-9a-f.:]+ (tcp|udp) dport \d+ accept| {2}ip6? daddr [0-9a-f.:]+ log prefix "wardwire would drop: " # drop)$/)
    }
  })

  test('are the inventories for programs JSON that names every device?', async () => {
    await run(['replay', file('hostile.pcap'), '--alerts', file('again.jsonl'), '--inventory', file('inventory.cdx.json'), '--segments', file('segments.json')])
    expect((JSON.parse(read('inventory.cdx.json')) as { components: unknown[] }).components).toHaveLength(csvRecords(read('inventory.csv')).length - 1)
    expect(JSON.parse(read('segments.json'))).toHaveProperty('segments')
  })

  test('are the files of an evidence bundle named by nobody on the wire?', async () => {
    const alert = jsonLines(read('alerts.jsonl')).find((a) => a['detector'] === 'public-address')!['id'] as string
    await run(['evidence', `${file('alerts.jsonl')}:${alert}`, '--capture', file('hostile.pcap'), '--state', file('state'), '-o', file('case.tar.gz')])
    for (const name of execFileSync('tar', ['-tzf', file('case.tar.gz')]).toString().trimEnd().split('\n')) expect(name).toMatch(/^(a-\w+\/)?[\w.-]+$/)
  })
})

/** RFC 4180, to the letter: anything else ends it. */
function csvRecords(text: string): string[][] {
  const records: string[][] = []
  for (let at = 0; at < text.length;) {
    const record: string[] = []
    for (;;) {
      const quoted = /"((?:[^"]|"")*)"|([^",\r\n]*)/y
      quoted.lastIndex = at
      const [whole, inside, plain] = quoted.exec(text)!
      record.push(inside?.replaceAll('""', '"') ?? plain!)
      at += whole.length
      if (text[at] !== ',') break
      at++
    }
    expect(text.slice(at, at + 2)).toBe('\r\n')
    at += 2
    records.push(record)
  }
  return records
}
