/** The counters of a worker (`wardwire detect`), and what makes it ready. Labels are words of the program and numbers of partitions, never a site. */
import type { Worker } from '../detect/worker.ts'
import type { Check } from './health.ts'
import { by, one, Page } from './page.ts'

export function workerPage(worker: Worker): string {
  const page = new Page()
  const { counts, sites, behind } = worker
  page.counter('worker_messages_total', 'Messages of the events topic that were read.', one(counts.in))
  page.counter('worker_replayed_total', 'Of these: read again on taking a partition over, without a word.', one(counts.replayed))
  page.counter('worker_foreign_total', 'Of these: no events of ours.', one(counts.foreign))
  page.counter('worker_alerts_total', 'Alerts and their revisions, published.', one(counts.alerts))
  page.counter('worker_transactions_total', 'Transactions committed.', one(counts.transactions))
  page.counter('worker_checkpoints_total', 'Of these: with what was learned.', one(counts.checkpoints))
  page.counter('worker_changelog_bytes_total', 'Bytes of checkpoints, compressed.', one(counts.changelog))
  page.counter('worker_restores_total', 'Partitions taken over, by where their state came from.', by('from', [['topic', counts.restores - counts.shelved], ['folder', counts.shelved]]))
  page.gauge('worker_restore_seconds', 'What the last taking over took.', one(counts.restoring / 1000))
  page.gauge('worker_partitions', 'Partitions in hand.', one(behind.size))
  page.gauge('worker_sites', 'Sites in hand.', one(sites.sites))
  page.gauge('worker_lag_messages', 'Messages that wait to be judged, by partition.', by('partition', [...behind].map(([partition, n]) => [String(partition), n])))
  page.gauge('site_events', 'Events of the sites in hand since they began, on whichever worker, by what became of them.',
    by('result', (['judged', 'repeated', 'unreadable', 'missed'] as const).map((name) => [name, sites[name]])))
  return page.text()
}

/** A worker without a partition stands by, and is well; one that can't go on is degraded, and unready when that lasts. */
export function workerChecks(worker: Worker, stalledMinutes: number): Check[] {
  const isStalled = worker.stalled > stalledMinutes * 60_000
  return [
    { name: 'group', problem: worker.joined ? null : 'not a member of the group' },
    { name: 'work', problem: worker.failing ?? null, degradedOnly: !isStalled },
  ]
}
