import { expect, test } from 'vitest'
import * as names from '../../../protocols/hl7/segment-names.ts'

test('does each number spell its name?', () => {
  for (const [name, number] of Object.entries(names)) {
    if (typeof number === 'number' && number !== names.NAMELESS) expect(names.nameAt(Buffer.from(name), 0)).toBe(number)
  }
})
