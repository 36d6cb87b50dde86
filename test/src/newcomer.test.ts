/** What somebody who tries things out is told: one line that says what is wrong and what to do, and an exit code that means it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FIXTURES } from '../fixtures/replay.ts'
import { wardwire } from './program.ts'

let folder: string
const CASE = join(FIXTURES, 'cases/cancelled-query.pcap')
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardwire-newcomer-'))
  writeFileSync(join(folder, 'typo.yaml'), 'sensro: x\n')
  writeFileSync(join(folder, 'bad.yaml'), 'sensor: [\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each([
  ['a command of baseline that there is not', ['baseline', 'bogus', '--state', 'learned'], 2, /^wardwire: baseline has no such command; it has show, explain, allow, malicious, take-back\n/],
  ['a file where the state folder should be', ['replay', CASE, '--state', CASE], 2, /as the state folder: there is a file of that name\n$/],
  ['freezing what was never learned', ['replay', CASE, '--freeze'], 0, /^wardwire: --freeze without --state: nothing was learned/],
  ['a configuration with a key misspelt', ['check', 'typo.yaml'], 2, /"sensro" \(wardwire check, without a file, lists every key\)\n$/],
  ['a configuration that is no YAML', ['check', 'bad.yaml'], 2, /at line 2, column 1\n$/],
  ['a command that there is not', ['relay', CASE], 2, /^wardwire: unknown command 'relay'\n\(Did you mean replay\?\)/],
  ['no capture', ['replay', 'typo.yaml'], 1, /typo\.yaml: not a capture file/],
])('is %s answered in words?', async (_what, args, exit, words) => {
  const { code, stderr } = await wardwire(args.map((arg) => (arg.endsWith('.yaml') ? join(folder, arg) : arg)), { env: { XDG_STATE_HOME: folder } })
  expect(stderr).toMatch(words)
  expect(code).toBe(exit)
})

test('does the capturing process say that it waits for the engine?', async () => {
  const { stderr } = await wardwire(['capture', '-i', 'lo', '--socket', join(folder, 'nobody.sock')], { kill: { signal: 'SIGTERM', after: 3000 } })
  expect(stderr).toMatch(/^wardwire: waiting for wardwire watch --socket .*nobody\.sock \(no such file or folder\)\n$/)
})
