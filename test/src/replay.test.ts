import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonLines, wardwire, type Run, type RunOptions } from './program.ts'
import { ordinaryDays } from './small-hospital.ts'

let folder: string
const at = (name: string): string => join(folder, name)
const run = (args: string[], options: RunOptions = {}): Promise<Run> =>
  wardwire(args, { ...options, env: { XDG_STATE_HOME: folder, ...options.env } })

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardwire-replay-'))
  const capture = ordinaryDays(2)
  writeFileSync(at('days.pcap'), capture)
  writeFileSync(at('days.pcap.gz'), gzipSync(capture))
  writeFileSync(at('cut.pcap'), capture.subarray(0, capture.length - 20))
  writeFileSync(at('empty.pcap'), '')
  writeFileSync(at('text.pcap'), 'this is no capture at all, whatever it is called\n'.repeat(5))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('replay', () => {
  test('do the events hold what was said, with its pairs?', async () => {
    const { code, stderr } = await run(['replay', at('days.pcap'), '--events', at('events.jsonl'), '--alerts', at('alerts.jsonl')])
    expect(code, stderr).toBe(0)
    const events = jsonLines(readFileSync(at('events.jsonl'), 'utf8'))
    const kinds = (kind: string): Record<string, unknown>[] => events.filter((e) => e['kind'] === kind)
    expect(kinds('dicom.association')).toHaveLength(8)
    expect(kinds('dicom.operation').map((o) => `${o['command'] as string} ${o['status'] as string}`).slice(0, 3)).toEqual(['C-ECHO 0000', 'C-STORE 0000', 'C-FIND 0000'])
    expect(kinds('hl7.message')).toHaveLength(8)
    expect(kinds('hl7.message').every((m) => (m['acks'] as { code: string }[])[0]?.code === 'AA')).toBe(true)
    expect(kinds('flow')).toHaveLength(16)
    expect(events.at(-1)!['kind']).toBe('capture')
  })

  test('is ordinary life listed as no alerts, in words?', async () => {
    const { code, stdout, stderr } = await run(['replay', at('days.pcap')])
    expect(code).toBe(0)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/0 alerts/)
  })

  test('do file, gzip and standard input give the same events?', async () => {
    const plain = await run(['replay', at('days.pcap'), '--events', '-'])
    const zipped = await run(['replay', at('days.pcap.gz'), '--events', '-'])
    const piped = await run(['replay', '-', '--events', '-'], { input: readFileSync(at('days.pcap')) })
    expect(plain.stdout).not.toBe('')
    expect(zipped.stdout).toBe(plain.stdout)
    expect(piped.stdout).toBe(plain.stdout)
  })

  test('do two runs give the same bytes?', async () => {
    const args = (n: number): string[] => ['replay', at('days.pcap'), '--events', at(`e${n}`), '--alerts', at(`a${n}`)]
    await run(args(1))
    await run(args(2))
    expect(readFileSync(at('e1'), 'utf8')).toBe(readFileSync(at('e2'), 'utf8'))
    expect(readFileSync(at('a1'), 'utf8')).toBe(readFileSync(at('a2'), 'utf8'))
  })

  test('does --state survive between runs, and --freeze leave it alone?', async () => {
    const state = at('state')
    expect((await run(['replay', at('days.pcap'), '--state', state])).code).toBe(0)
    const before = readFileSync(join(state, 'wardwire.mdb'))
    const frozen = await run(['replay', at('days.pcap'), '--state', state, '--freeze'])
    expect(frozen.code).toBe(0)
    expect(readFileSync(join(state, 'wardwire.mdb')).equals(before)).toBe(true)
    const again = await run(['replay', at('days.pcap'), '--state', state])
    expect(again.stderr).toMatch(/before the end of what the state has learned/)
  })
})

describe('bad input', () => {
  /** Exactly one complaint, beside the lines every run ends with. */
  const complaints = (stderr: string): string[] => stderr.split('\n').filter((line) => line !== '' && !/: read \d+ frames|\d+ alerts?;|\d+ alerts?: /.test(line))

  test.each([
    ['a file that is no capture', 'text.pcap', /text\.pcap.*not a capture/],
    ['an empty file', 'empty.pcap', /empty\.pcap.*empty/],
    ['a file that is not there', 'missing.pcap', /missing\.pcap.*no such file/],
    ['a folder', '.', /is a directory/],
  ])('is %s one clear line and exit code 1?', async (_, name, expected) => {
    const { code, stderr } = await run(['replay', at(name), '--events', at('bad.jsonl')])
    expect(code).toBe(1)
    expect(complaints(stderr)).toHaveLength(1)
    expect(complaints(stderr)[0]).toMatch(expected)
  })

  test('does what was read before a cut still count?', async () => {
    const { code, stdout, stderr } = await run(['replay', at('cut.pcap'), '--events', '-'])
    const events = jsonLines(stdout)
    expect(events.filter((e) => e['kind'] === 'dicom.association')).toHaveLength(8)
    expect(events.at(-1)).toMatchObject({ kind: 'capture', truncated: true })
    expect(stderr).toMatch(/cut/)
    expect(code).toBe(1)
  })

  test('do the good files of several still count?', async () => {
    const { code, stdout } = await run(['replay', at('missing.pcap'), at('days.pcap'), '--events', '-'])
    expect(code).toBe(1)
    expect(jsonLines(stdout).filter((e) => e['kind'] === 'dicom.association')).toHaveLength(8)
  })

  test.each([
    ['no file', ['replay']],
    ['an unknown option', ['replay', 'x', '--nonsense']],
    ['an unknown command', ['frobnicate']],
    ['a time that is none', ['replay', 'x', '--learn-until', 'tomorrow']],
    ['two streams to one output', ['replay', 'x', '--alerts', '-', '--events', '-']],
    ['a configuration that is not there', ['replay', 'x', '--config', '/nowhere.yaml']],
  ])('is %s bad usage: exit code 2, and nothing of a stack?', async (_, args) => {
    const { code, stderr } = await run(args)
    expect(code).toBe(2)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect(stderr).not.toBe('')
  })

  test('does a configuration with a wrong key name the key?', async () => {
    writeFileSync(at('wrong.yaml'), 'sensor: x\ncomunity_id_seed: 3\n')
    const { code, stderr } = await run(['check', at('wrong.yaml')])
    expect(code).toBe(2)
    expect(stderr).toMatch(/wrong\.yaml.*comunity_id_seed/)
  })

  test('are the defaults of a check without a file a configuration to start from?', async () => {
    const defaults = await run(['check'])
    expect(defaults.code).toBe(0)
    writeFileSync(at('start.yaml'), defaults.stdout)
    expect(await run(['check', at('start.yaml')])).toEqual(defaults)
  })

  test('does check name every key whose file cannot be read: passwords, tokens, certificates?', async () => {
    writeFileSync(at('secret'), 'secret\n')
    const config = (file: string): string => `kafka: { brokers: ['k:9093'], tls: { ca_file: ${file} }, sasl: { mechanism: plain, username: u, password_file: ${file} } }\nsinks: [{ type: splunk, url: 'https://s:8088', token_file: ${file} }]\n`
    writeFileSync(at('files.yaml'), config(at('secret')))
    const whole = await run(['check', at('files.yaml')])
    expect(whole.code, whole.stderr).toBe(0)
    writeFileSync(at('files.yaml'), config('/nowhere/secret'))
    const { code, stderr } = await run(['check', at('files.yaml')])
    expect(code).toBe(2)
    for (const key of ['kafka.tls.ca_file', 'kafka.sasl.password_file', 'sinks.0.token_file']) expect(stderr).toContain(`${key}: cannot read /nowhere/secret: no such file or folder`)
  })

  test('does the configuration in force, as it is printed, keep the secrets that webhooks have in their address?', async () => {
    writeFileSync(at('hook.yaml'), 'sinks: [{ type: webhook, url: "https://user:SECRET1@hooks.example/services/SECRET2?key=SECRET3" }]\n')
    const { code, stdout } = await run(['check', at('hook.yaml')])
    expect(code).toBe(0)
    expect(stdout).toContain('https://hooks.example/[not shown]')
    expect(stdout).not.toMatch(/SECRET|user:/)
  })

  test('is an output that cannot be written exit code 1, in one line?', async () => {
    const { code, stderr } = await run(['replay', at('days.pcap'), '--events', '/nowhere/events.jsonl'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/cannot write \/nowhere\/events\.jsonl: no such file or folder/)
  })
})
