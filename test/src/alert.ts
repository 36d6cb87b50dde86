/** Alerts for tests: whole, and different where the test says so. */
import type { Alert, Severity } from '../../models/alert.ts'

export const AT = Date.UTC(2026, 2, 3, 4, 5, 6) * 1000 + 7

/** An alert with every field in use. */
export function makeAlert(change: Partial<Alert> = {}): Alert {
  return {
    schema: 'wardwire.alert/1', id: 'a1b2c3', revision: 2, raised_at: AT, first_seen: AT - 60_000_000, last_seen: AT + 5_000_000,
    severity: 'high', score: 7.25, detector: 'store-volume',
    title: 'CT1 sends far more than it ever did',
    explanation: 'CT1 sent 94 studies to 10.9.9.9 in an hour; it usually sends 2 to 6, and never sent to this host.',
    device: { id: 'dev-ct1', role: 'modality:CT', name: 'CT1', ip: ['10.1.2.3'], mac: ['00:11:22:33:44:55'], ae_titles: ['CT1'] },
    peers: [{ id: 'dev-x', role: 'unknown', name: '10.9.9.9', ip: ['10.9.9.9', 'fd00::9'], mac: [], ae_titles: [] }],
    hosts: ['10.1.2.3', '10.9.9.9', 'fd00::9'],
    evidence: [
      { detector: 'store-volume', group: 'volume', at: AT, p: 1e-9, observed: 94, expected: 4.2, unit: 'studies', text: '94 studies in an hour; usual are 4.2', flows: ['1:abc='] },
      { detector: 'new-peer', group: 'novelty', at: AT, p: 2e-4, observed: null, expected: null, unit: null, text: 'never sent to 10.9.9.9 before', flows: ['1:abc=', '1:def='] },
    ],
    attack: [
      { technique: 'T1048.003', name: 'Exfiltration Over Unencrypted Non-C2 Protocol', tactic: 'Exfiltration' },
      { technique: 'T1005', name: 'Data from Local System', tactic: 'Collection' },
    ],
    flows: ['1:abc=', '1:def='], count: 94,
    baseline: { days: 21.5, events: 12_345, state: 'armed' },
    capture: { sensor: 'radiology', source: 'replay', loss: 0.001 },
    ...change,
  }
}

/** A small alert of its own id. */
export function numbered(n: number, severity: Severity = 'medium', device = `dev-${n % 3}`): Alert {
  const alert = makeAlert({ id: `id-${n}`, revision: 1, severity, raised_at: AT + n })
  return { ...alert, device: { ...alert.device, id: device } }
}
