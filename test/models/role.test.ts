/** What a device is called after: what it was seen doing most, whoever else uses it. */
import { expect, test } from 'vitest'
import { newDevice } from '../../models/device.ts'
import { roleOf } from '../../models/role.ts'

const doing = (deeds: Record<string, number>): string => {
  const device = newDevice('dev-1', 1, 0, 0)
  device.deeds = new Map(Object.entries(deeds))
  device.modalities = new Map([['CT', 300]])
  return roleOf(device)
}
const WORK = { 'C-STORE>': 300, 'MWL>': 900 }

test('does a scanner stay one when somebody searches it, empties it, and parks studies on it?', () => {
  expect(doing(WORK)).toBe('modality:CT')
  expect(doing({ ...WORK, 'C-FIND<': 12, 'C-MOVE<': 30, 'C-STORE<': 9 })).toBe('modality:CT')
})

test('is an archive one, which sends much, and asks nobody for a worklist?', () => {
  expect(doing({ 'C-STORE>': 300, 'C-STORE<': 40, 'C-FIND<': 12, 'C-MOVE<': 30 })).toBe('archive')
})

test('is one that gathers from others an archive, though it follows a worklist?', () => {
  expect(doing({ ...WORK, 'C-STORE<': 400, 'C-FIND<': 90, 'C-MOVE<': 200 })).toBe('archive')
})
