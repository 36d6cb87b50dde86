/** Do the scripts of package.json that take options answer as the program itself does? */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }

const root = join(import.meta.dirname, '..')
const NAMES = ['bench', 'evaluate', 'fixtures'] as const

function script(name: (typeof NAMES)[number], ...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const file = packageJson.scripts[name].replace(/^tsx /, '')
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', join(root, file), ...args], { cwd: root, encoding: 'utf8' })
  return { code: status, stdout, stderr }
}

describe.each(NAMES)('%s', (name) => {
  test('does it tell how it is used?', () => {
    const { code, stdout, stderr } = script(name, '--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Usage: npm run ${name} -- `)
  })

  test('is an option that there is not refused in a line, with the code of bad usage?', () => {
    expect(script(name, '--nonsense')).toEqual({ code: 2, stdout: '', stderr: `${name}: unknown option '--nonsense'\n` })
  })
})

test.each([
  ['bench', ['--runs', 'many'], /^bench: option '--runs <n>' argument 'many' is invalid\. It wants a whole number above 0\.\n$/],
  ['bench', ['more'], /^bench: too many arguments/],
  ['evaluate', ['--seeds', 'many'], /^evaluate: option '--seeds <n>' argument 'many' is invalid\. It wants a whole number above 0\.\n$/],
  ['evaluate', ['--without', 'sense'], /^evaluate: option '--without <part>' argument 'sense' is invalid\. There are roles, common-mode, orders\.\n$/],
  ['fixtures', ['lab', 'of-nobody'], /^fixtures: .*'of-nobody' is invalid.*\n$/],
] as const)('is a wrong value of %s %j refused in a line?', (name, args, line) => {
  const { code, stdout, stderr } = script(name, ...args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(line)
})

test('is a folder that holds no labelled run said to be none?', () => {
  const empty = mkdtempSync(join(tmpdir(), 'wardwire-no-run-'))
  expect(script('evaluate', empty)).toEqual({ code: 1, stdout: '', stderr: `evaluate: ${empty} is no labelled run: labels.json cannot be read (docs/evaluation.md tells what belongs into it)\n` })
  rmSync(empty, { recursive: true })
})
