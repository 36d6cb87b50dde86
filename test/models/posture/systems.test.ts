/** Which system does a device run, out of signs of different weight, and is nobody mending it any more? */
import { describe, expect, test } from 'vitest'
import { endOfLifeOf, systemOf, type OsClaim } from '../../../models/posture/systems.ts'
import { Posture } from '../../../models/posture/posture.ts'
import { HOST_LIMITS } from '../../../models/posture/hosts.ts'
import type { DeviceView } from '../../../models/outlook.ts'
import type { HostFacts } from '../../../protocols/events.ts'
import { flow, flowEnd, host, START } from '../build.ts'

const claim = (family: string, confidence: OsClaim['confidence'], eol: string | null = null, evidence = 'TCP SYN: x'): OsClaim =>
  ({ name: family, eol, evidence, family, confidence, source: null })
const IN_2025 = Date.UTC(2025, 0, 6) * 1000

describe('the system of a device', () => {
  test('does the surer sign win, and is a contradiction said to be one?', () => {
    const system = systemOf([claim('windows-10', 'medium'), claim('windows-7', 'high', '2020-01-14')], IN_2025)!
    expect(system).toMatchObject({ family: 'windows-7', past_end_of_life: true, agree: 1, disagree: 1, confidence: 'low' })
  })

  test('do two signs that agree make it sure, and does the one with a date tell it?', () => {
    expect(systemOf([claim('windows-7', 'medium'), claim('windows-7', 'medium', '2020-01-14')], IN_2025)).toMatchObject({ eol: '2020-01-14', confidence: 'high', agree: 2 })
  })

  test('does a sign of the whole line contradict nothing?', () => {
    expect(systemOf([claim('windows-10', 'medium'), claim('windows-8.1+', 'low')], IN_2025)).toMatchObject({ family: 'windows-10', disagree: 0 })
  })

  test('is a system past its end of life by the clock of the capture, not of today?', () => {
    const claims = [claim('windows-7', 'medium', '2020-01-14')]
    expect(systemOf(claims, Date.UTC(2019, 11, 1) * 1000)!.past_end_of_life).toBe(false)
    expect(systemOf(claims, Date.UTC(2020, 1, 1) * 1000)!.past_end_of_life).toBe(true)
    expect(systemOf([], IN_2025)).toBeNull()
  })

  test('does the share count scanners whose system could be told, and nobody else?', () => {
    const past = systemOf([claim('windows-7', 'medium', '2020-01-14')], IN_2025)
    const fine = systemOf([claim('linux-5', 'medium')], IN_2025)
    const items = [{ role: 'modality:CT', system: past }, { role: 'modality:MR', system: fine }, { role: 'modality:US', system: null }, { role: 'workstation', system: past }]
    expect(endOfLifeOf(items)).toEqual({ imaging: 3, known: 2, past: 1, share: 0.5, field: 0.83 })
    expect(endOfLifeOf([]).share).toBeNull()
  })
})

describe('signs gathered', () => {
  const shown = (name: string, evidence: string, at = START): HostFacts =>
    ({ kind: 'host', at, complete: true, after_gap: false, ip: '10.0.0.5', mac: null, vendor: null, os: { name, eol: null, evidence, family: name }, hostname: null, evidence, confidence: 'medium' })

  test('is a sign kept that came before anything else of its host, and replaced when the host is updated?', () => {
    const posture = new Posture()
    posture.event(shown('windows-7', 'TCP SYN: window 8192'))
    posture.event(flowEnd(flow(host('CT', '10.0.0.5'), host('PACS', '10.0.0.9')), START + 1, null))
    expect(posture.hosts.known.get('10.0.0.5')!.systems.map((s) => s.name)).toEqual(['windows-7'])
    posture.event(shown('windows-10', 'TCP SYN: window 64240'))
    expect(posture.hosts.known.get('10.0.0.5')!.systems.map((s) => s.name)).toEqual(['windows-10'])
  })

  test('does a device that was replaced run what its present address shows, and not what the old one did?', () => {
    const posture = new Posture()
    for (let i = 0; i < 3; i++) posture.event(shown('windows-xp', `sign ${'abc'[i]}: x`))
    posture.event({ ...shown('linux-2.6', 'TCP SYN: window 5840'), ip: '10.0.0.6' })
    const address = (ip: string): DeviceView['addresses'][number] => ({ ip, mac: null, first: START, last: START, public: false })
    const view: DeviceView = {
      id: 'd', name: 'US2', role: 'modality:US', ip: '10.0.0.6', addresses: [address('10.0.0.5'), address('10.0.0.6')], ae_titles: [], applications: [], implementation: null, version: null,
      host: null, modalities: {}, first: START, last: START, events: 1, days: 1,
    }
    expect(posture.inventory([view])[0]!.system?.family).toBe('linux-2.6')
    expect(posture.inventory([{ ...view, ip: '10.0.0.7' }])[0]!.system?.family).toBe('windows-xp')
  })

  test('do many different signs, however long, stay within the cap?', () => {
    const posture = new Posture()
    for (let i = 0; i < 100; i++) posture.event(shown(`s${i}`, `${String.fromCharCode(97 + i % 26)}${'x'.repeat(i)}\u001b: ${'y'.repeat(5000)}`))
    const { systems } = posture.hosts.known.get('10.0.0.5')!
    expect(systems).toHaveLength(HOST_LIMITS.claims)
    for (const { evidence } of systems) {
      expect(evidence.length).toBeLessThanOrEqual(HOST_LIMITS.evidenceChars)
      expect(evidence).not.toMatch(/[\u0000-\u001f]/)
    }
  })
})
