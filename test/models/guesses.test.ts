/** Titles tried at servers that take any: what tells a guesser from whoever was set up anew, or looks at many hosts. */
import { describe, expect, test } from 'vitest'
import { newStream } from '../../models/baseline/counts.ts'
import { loadDevice, newDevice, saveDevice } from '../../models/device.ts'
import { association, at, flow, host, move } from './build.ts'
import { times } from './happenings.ts'
import { ARCHIVE, CT01, LAB, READERS, RIS, SCANNERS, WS02 } from './hospital.ts'
import { TODAY, alertsOf, among, ofDetector, sweep } from './learned.ts'

const told = (events: Parameters<typeof among>[0]): string[] => ofDetector(alertsOf(among(events)), 'ae-guessing').map(({ title }) => title)
const accepted = (n: number, called: (i: number) => string) => times(n, 10, 0.2, (when, i) => association(flow(WS02, ARCHIVE), when, WS02.name, { 'C-ECHO': 1 }, { called_ae: called(i) }))

describe('where any title is accepted', () => {
  test('are thirty that are tried one after the other told?', () => { expect(told(accepted(30, (i) => `GUESS${i}`))).toEqual([`${WS02.name} tries AE titles at ${ARCHIVE.name}`]) })
  test('does a new title pass that is used thirty times?', () => { expect(told(accepted(30, () => 'PACS2'))).toEqual([]) })
  test('does a host pass that calls each of many by its own title, and its old one?', () => {
    const visitor = host('VISITOR', '10.1.9.40')
    const visits = [ARCHIVE, RIS, LAB, ...SCANNERS, ...READERS].map((target, i) => association(flow(visitor, target), at(TODAY, 9, i), visitor.name, { 'C-ECHO': 1 }, { called_ae: target.name }))
    expect(told([...visits, ...sweep(visitor, at(TODAY, 11))])).toEqual([])
  })
})

describe('destinations that the archive does not know', () => {
  const asks = (n: number, destination: (i: number) => string) => times(n, 11, 0.4, (when, i) => ({ ...move(flow(CT01, ARCHIVE), when, CT01.name, destination(i)), status: 'A801' }))
  test('are twenty different ones told?', () => { expect(told(asks(20, (i) => `STATION${i}`)).length).toBe(1) })
  test('does one pass that is asked for twenty times?', () => { expect(told(asks(20, () => 'STATOIN1'))).toEqual([]) })
})

test('is a device read that was saved when guesses had another name?', () => {
  const device = newDevice('d', 1, 0, 0)
  device.drips.set('reject', { level: 9, run: 5, observed: 20, expected: 1, open: true })
  device.streams.set('reject', newStream(1, 1, 0))
  const read = loadDevice(JSON.parse(JSON.stringify(saveDevice(device))))
  expect([[...read.drips.keys()], [...read.streams.keys()]]).toEqual([['guess'], ['guess']])
})
