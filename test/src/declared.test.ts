/** A migration through the whole program: undeclared, in the calendar, allowed by an analyst, and called malicious; each with the state that the run before left. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonLines, wardwire } from './program.ts'
import { OUTSIDE, START, SmallHospital, archive, ordinaryDay, ordinaryDays, scan, scanner } from './small-hospital.ts'

const HOUR = 3600e6
const LEARNED = 6
const day = (n: number): number => START + n * 24 * HOUR
const NEW_ARCHIVE = { ...archive, ip: '10.9.0.21', mac: '02:00:00:00:00:21' }
const STRANGER = { ...archive, ip: '10.9.3.77', mac: '02:00:00:00:03:77' }

/** A day of the same small life, in which the archive copies studies to another host. */
function migration(from: number, studies: number, to = NEW_ARCHIVE): SmallHospital {
  const hospital = new SmallHospital()
  ordinaryDay(hospital, from, 24)
  for (let n = 0; n < studies; n++) hospital.association(day(from) + 60e6 + n * 120e6, scan(from * 1000 + n), [], 'PACS', to, archive)
  return hospital
}

interface Told { id: string; severity: string; hosts: string[]; explanation: string }

let folder: string
const at = (name: string): string => join(folder, name)
const run = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await wardwire(args, { env: { XDG_STATE_HOME: folder } })
  expect(code, stderr).toBe(0)
  return stdout
}
/** Alerts of a capture, judged with a copy of a state that is kept under another name. */
async function judged(capture: SmallHospital, from: string, to: string, calendar?: object): Promise<Told[]> {
  cpSync(at(from), at(to), { recursive: true })
  writeFileSync(at('day.pcap'), capture.capture())
  const more = calendar === undefined ? [] : ['--calendar', at('calendar.json')]
  if (calendar !== undefined) writeFileSync(at('calendar.json'), JSON.stringify(calendar))
  const lines = jsonLines(await run('replay', at('day.pcap'), '--state', at(to), '--alerts', '-', ...more)) as unknown as Told[]
  return [...new Map(lines.map((alert) => [alert.id, alert])).values()]
}
const above = (alerts: Told[]): Told[] => alerts.filter(({ severity }) => severity !== 'info')
const planned = (hosts: string[], from: number, to: number) => ({ event: 'migration', start: day(from) / 1e6, end: day(to) / 1e6, hosts, note: 'ticket 4711' })
const BOTH = [archive.ip, NEW_ARCHIVE.ip]

let told: Told

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wardwire-declared-'))
  writeFileSync(at('days.pcap'), ordinaryDays(LEARNED, 24))
  await run('replay', at('days.pcap'), '--state', at('learned'), '--alerts', at('none'))
  const alerts = above(await judged(migration(LEARNED, 90), 'learned', 'undeclared'))
  expect(alerts.map(({ hosts }) => hosts), 'undeclared it is exactly one alert').toHaveLength(1)
  told = alerts[0]!
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a migration in the calendar', () => {
  test('is it nothing above a note, and what somebody else does meanwhile an alert?', async () => {
    const hospital = migration(LEARNED, 90)
    for (let n = 0; n < 6; n++) hospital.association(day(LEARNED) + HOUR + n * 10e6, scan(7000 + n), [], 'CT1', OUTSIDE)
    const alerts = await judged(hospital, 'learned', 'calendar', { changes: [planned(BOTH, LEARNED, LEARNED + 1)] })
    expect(above(alerts).map(({ hosts }) => [...hosts].sort())).toEqual([[scanner.ip, OUTSIDE.ip].sort()])
    expect(alerts.find(({ severity }) => severity === 'info')?.explanation).toContain('Declared: ticket 4711.')
  })

  test('is it told as ever when it is over, has not begun, or was declared of others?', async () => {
    const changes = [
      planned(BOTH, LEARNED - 2, LEARNED - 1), planned(BOTH, LEARNED + 1, LEARNED + 2), planned([archive.ip, '10.9.0.22'], LEARNED, LEARNED + 1), planned([], LEARNED, LEARNED + 1),
    ]
    expect(above(await judged(migration(LEARNED, 90), 'learned', 'expired', { changes })).map(({ id }) => id)).toEqual([told.id])
  })
})

describe('a migration that an analyst has allowed for some days', () => {
  beforeAll(() => run('baseline', 'allow', '--state', at('undeclared'), told.id, '--days', '3', '--why', 'ticket 4711'), 60_000)

  test('is the same again a note that says why?', async () => {
    const alerts = await judged(migration(LEARNED + 2, 90), 'undeclared', 'allowed')
    expect(above(alerts)).toEqual([])
    expect(alerts.map(({ explanation }) => explanation).join()).toContain('ticket 4711')
  })

  test.each<[string, () => SmallHospital]>([
    ['the same to somebody else', () => migration(LEARNED + 2, 90, STRANGER)],
    ['more than half as much again', () => migration(LEARNED + 2, 200)],
    ['the same after it has expired', () => migration(LEARNED + 4, 90)],
  ])('is %s told?', async (_what, capture) => {
    expect(above(await judged(capture(), 'undeclared', 'beyond')).length).toBeGreaterThan(0)
    rmSync(at('beyond'), { recursive: true })
  })
})

describe('a migration that was malicious', () => {
  test('is the new peer forgotten by the next run, and news again?', async () => {
    const known = async (state: string): Promise<string> => run('baseline', '--state', at(state), '--device', archive.ip)
    cpSync(at('undeclared'), at('malicious'), { recursive: true })
    await run('baseline', 'malicious', '--state', at('malicious'), told.id)
    expect(await known('undeclared')).toMatch(/peers: .*not yet settled: 1 value/)
    expect(await known('malicious')).not.toMatch(/peers: /)
    const again = above(await judged(migration(LEARNED + 2, 90), 'malicious', 'again'))
    expect(again.map(({ hosts }) => hosts.includes(NEW_ARCHIVE.ip))).toEqual([true])
  })
})
