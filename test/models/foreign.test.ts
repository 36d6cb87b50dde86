/** Conversations in no known protocol at a port where this site speaks DICOM: whoever waits there for what a scanner or reader sends out. */
import { describe, expect, test } from 'vitest'
import { flow, flowEnd, type Host } from './build.ts'
import { times } from './happenings.ts'
import { ARCHIVE, CT01, STRANGER, WS01, WS02 } from './hospital.ts'
import { alertsOf, among, ofDetector } from './learned.ts'

const told = (from: Host, to: Host, port: number, n: number, bytes = { client: 900, server: 4000 }): string[] =>
  ofDetector(alertsOf(among(times(n, 11, 9, (when) => flowEnd(flow(from, to, port), when, null, { bytes })))), 'foreign-protocol').map(({ severity, device, peers }) => `${severity} ${device.name} ${peers[0]!.ip[0]}`)
const DICOM = flow(WS01, ARCHIVE).server.port

describe('a host that nobody knew, at the port that archives have here', () => {
  test('is one conversation of a reader low, and are four medium?', () => {
    expect(told(WS01, STRANGER, DICOM, 1)).toEqual([`low ${WS01.name} ${STRANGER.ip}`])
    expect(told(CT01, STRANGER, DICOM, 4)).toEqual([`medium ${CT01.name} ${STRANGER.ip}`])
  })

  test('do those pass at another port, those without an answer, and those of a host that is no medical device?', () => {
    expect(told(WS01, STRANGER, 8443, 4)).toEqual([])
    expect(told(WS01, STRANGER, DICOM, 4, { client: 60, server: 0 })).toEqual([])
    expect(told(STRANGER, { ...WS02, ip: '10.1.9.77', mac: '00:50:56:00:77:77' }, DICOM, 4)).toEqual([])
  })
})
