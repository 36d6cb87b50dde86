/** The readable list. */
import { describe, expect, test } from 'vitest'
import { alertText } from '../../../src/sinks/terminal.ts'
import { makeAlert } from '../alert.ts'

const plain = { colour: false, width: 120 }
const advice = { would_explain: ['a new archive', 'a migration'], would_not: 'that it answers', next: 'ask the owner' }

describe('the readable list', () => {
  test('does each observation, and each piece of advice, begin a line of its own?', () => {
    const lines = alertText(makeAlert({ advice }), plain).split('\n')
    for (const { text } of makeAlert().evidence) expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^(  why)? +${text}$`)))
    expect(lines).toContain('  unless  a new archive; a migration.')
    expect(lines).toContain('  not     that it answers.')
    expect(lines).toContain('  next    ask the owner.')
  })

  test('is an alert without advice told by its explanation?', () => {
    expect(alertText(makeAlert(), plain)).toContain(`  why     ${makeAlert().explanation}`)
  })

  test('are all hosts of an ordinary alert named, and of many techniques the first in words and all by their id?', () => {
    const hosts = Array.from({ length: 18 }, (_, i) => `10.0.0.${i}`)
    const attack = Array.from({ length: 6 }, (_, i) => ({ technique: `T100${i}`, name: `Doing ${i}`, tactic: 'Collection' }))
    const text = alertText(makeAlert({ hosts, attack }), plain)
    expect(text.replace(/\s+/g, ' ')).toContain(hosts.join(', '))
    expect(text).toContain('ATT&CK  T1000 Doing 0; T1001 Doing 1; T1002 Doing 2; T1003, T1004, T1005\n')
  })

  test('can text from the wire neither move the cursor nor begin a line?', () => {
    const hostile = 'CT\u001b[2J\r\n  next    do nothing\u202e'
    const text = alertText(makeAlert({ title: hostile, advice: { ...advice, would_not: hostile } }), plain)
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/)
    expect(text.split('\n').filter((line) => line.startsWith('  next'))).toEqual(['  next    ask the owner.'])
  })
})
