/** Characters that nobody sees: gone from every text that people read, by one rule. */
import { describe, expect, test } from 'vitest'
import { clean } from '../../models/device.ts'
import { withoutInvisible } from '../../protocols/invisible.ts'
import { cell } from '../../src/posture/csv.ts'
import { cefAlert } from '../../src/sinks/formats/cef.ts'
import { printable } from '../../src/sinks/terminal.ts'
import { makeAlert } from '../src/alert.ts'

// The page is compiled for browsers, so not with these tests.
const PAGE = '../../src/report/page/dom.ts'
const { shown } = await import(PAGE) as { shown: (text: string) => string }

const UNSEEN = {
  'a bell': '\u0007', 'the beginning of a terminal sequence': '\u001b', 'C1 control': '\u0085', 'a zero-width space': '\u200b', 'a joiner': '\u200d', 'a word joiner': '\u2060',
  'the mark of byte order': '\ufeff', 'a soft hyphen': '\u00ad', 'right to left': '\u202e', 'an isolate': '\u2066', 'an Arabic letter mark': '\u061c', 'a separator of lines': '\u2028',
  'a tag': '\u{e0041}', 'a filler': '\u3164', 'half a pair': '\ud800',
}

describe.each(Object.entries(UNSEEN))('%s', (_, character) => {
  test.each<[string, (text: string) => string]>([
    ['names', clean], ['the terminal', printable], ['tables', cell], ['pages', shown], ['CEF', (text) => cefAlert(makeAlert({ title: text }))],
  ])('does it leave %s?', (_where, write) => {
    expect(write(`CT${character}01`)).not.toContain(character)
    expect(write(`CT${character}01`)).toMatch(/CT.?01|CT/)
  })
})

test('does what is seen stay, whatever its script?', () => {
  const text = 'CT 01 Größe 東京 العربية עברית \u{1f642} é ẹ̈'
  expect(withoutInvisible(text)).toBe(text)
  expect(withoutInvisible('a\r\nb', '?', true)).toBe('a\r\nb')
})
