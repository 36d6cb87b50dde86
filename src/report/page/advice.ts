/** What to do next about an alert, by what its evidence is about. The detectors' pages say more. */
import type { Alert } from './model.ts'

const BY_GROUP: Record<string, string> = {
  identity: 'Find out which machine really owns the name or address: switch port, hardware address, who changed it and when.',
  novelty: 'Ask the owner of the device whether the new peer or service was planned; if so, allow it with an end date.',
  volume: 'Compare with the tickets of that time: migration, export, a queue that drained. List what was sent from the archive’s log.',
  meaning: 'Check a few of the studies against the orders: who asked for them, and why there.',
  protocol: 'Look at the bytes with a protocol analyser: a faulty product says the same every day, an attack does not.',
  slow: 'Look at the device’s page: since when, and how far from its own past.',
}

/** @returns steps in order */
export function advice(alert: Alert): string[] {
  const groups = [...new Set(alert.evidence.map((e) => e.group))]
  const severe = alert.severity === 'high' || alert.severity === 'critical'
  return [
    ...groups.slice(0, 3).flatMap((g) => (g in BY_GROUP ? [BY_GROUP[g]!] : [])),
    'Cut the packets (below) before the capture is overwritten, and keep the evidence bundle with the ticket.',
    severe ? 'If there is no reason: isolate the device at its switch port, keep it running for forensics, and tell the privacy officer: patient data may have left.'
      : 'If there is a reason, write it down and allow it with an end date, so that the next one is no news.',
  ]
}
