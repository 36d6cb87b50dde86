/**
 * The counters of a sensor. Nothing is counted here: each stage has its own books, and they are read when somebody asks.
 * No address, title, UID or patient is ever a label: labels are words of the program.
 */
import type { Decoder } from '../../protocols/decoder.ts'
import type { Pipeline } from '../pipeline.ts'
import type { EventBooks } from '../sinks/event-publisher.ts'
import type { SinkStanding } from '../sinks/publisher.ts'
import { by, one, Page, type Sample } from './page.ts'

/** What the service counts beside its pipeline. */
export interface ServiceBooks {
  /** Where frames come from: interface names, a socket, standard input. */
  source: string
  alerts: ReadonlyMap<string, number>
  captureRestarts: number
  reloads: { ok: number; refused: number }
  /** `at`: when the last good one was taken, in seconds since 1970; 0: none was. */
  checkpoints: { ok: number; failed: number; at: number }
  standing: readonly SinkStanding[]
  /** Where events are published: how many, and the disk that those take that wait. */
  published: (EventBooks & { bytes: number }) | undefined
}

/** @returns the whole page */
export function metricsPage(pipeline: Pipeline, books: ServiceBooks): string {
  const { decoder, outlook } = pipeline
  const { tcp } = decoder
  const page = new Page()
  const perSink = (value: (standing: SinkStanding) => number): Sample[] => books.standing.map((standing) => [{ sink: standing.sink }, value(standing)])

  page.counter('frames_total', 'Frames read.', [[{ source: books.source }, decoder.frames]])
  page.counter('bytes_total', 'Bytes of the frames read, as on the wire.', [[{ source: books.source }, decoder.bytes]])
  page.counter('frames_dropped_total', 'Frames lost (kernel, interface) or not decoded (engine); the pipe loses none, because whoever writes it waits.',
    [[{ where: 'kernel' }, decoder.lostInCapture.kernel], [{ where: 'interface' }, decoder.lostInCapture.interface], [{ where: 'pipe' }, 0], [{ where: 'engine' }, sum(Object.values(decoder.net.dropped()))]])
  page.gauge('capture_lag_seconds', 'Wall clock minus capture time.', one(decoder.frames === 0 ? 0 : Date.now() / 1000 - pipeline.through / 1e6))
  page.counter('capture_restarts_total', 'Times the capturing process was started again.', one(books.captureRestarts))
  page.gauge('tcp_connections', 'Conversations known, by what they have proven.', by('state', Object.entries(decoder.conversationsByState())))
  page.gauge('tcp_held_bytes', 'Bytes that wait above a hole.', one(tcp.held))
  page.counter('tcp_gaps_total', 'Holes given up because of a cap.', one(sum(Object.values(tcp.holesByCap))))
  page.counter('tcp_gap_bytes_total', 'Bytes of conversations that never came.', one(tcp.lost))
  page.counter('tcp_overlap_conflicts_total', 'Conversations in which a repetition had other bytes than the first copy.', one(tcp.conflicts))
  page.counter('limit_reached_total', 'What caps cost, by cap (frames, bytes or times: docs/decoding.md).', by('limit', limitsOf(decoder)))
  page.counter('weird_total', 'Violations of a standard, by code.', by('name', pipeline.violations))
  page.counter('events_total', 'Events, by kind.', by('kind', pipeline.events))
  page.counter('findings_total', 'Pieces of evidence, by detector.', by('detector', outlook.findings))
  page.counter('alerts_total', 'Alerts and their revisions, by severity.', by('severity', books.alerts))
  page.counter('alerts_suppressed_total', 'Pieces of evidence that raised nothing: too little by themselves, or while learning.', by('detector', outlook.counts.suppressed))
  page.gauge('spool_bytes', 'Disk taken by alerts that wait.', perSink(({ totals }) => totals.bytes))
  page.gauge('spool_alerts', 'Alerts that wait.', perSink(({ totals }) => totals.held))
  page.gauge('spool_oldest_seconds', 'Capture time since the alert that waits the longest was raised; 0 where none waits.',
    perSink(({ oldest }) => oldest === undefined ? 0 : Math.max(0, (pipeline.through - oldest) / 1e6)))
  page.counter('spool_dropped_total', 'Alerts that no sink will see.', books.standing.flatMap(({ sink, totals }) =>
    (['shed', 'refused', 'corrupt'] as const).map((reason): Sample => [{ sink, reason }, totals[reason]])))
  page.counter('sink_sent_total', 'Alerts that a receiver has acknowledged.', perSink(({ totals }) => totals.delivered))
  page.counter('sink_errors_total', 'Failed tries to deliver.', books.standing.map(({ sink, failures }) => [{ sink, code: 'send' }, failures]))
  if (books.published !== undefined) {
    const { sent, lost, waiting, bytes } = books.published
    page.counter('events_published_total', 'Events that Kafka has acknowledged.', one(sent))
    page.counter('events_lost_total', 'Events that no worker will see.', one(lost))
    page.gauge('events_waiting', 'Events that wait for Kafka.', one(waiting))
    page.gauge('event_spool_bytes', 'Disk taken by events that wait.', one(bytes))
  }
  page.gauge('profiles', 'Devices that something is known of.', one(outlook.counts.devices))
  page.counter('habits_forgotten_total', 'Values (peers, services, message kinds ...) that devices forgot because all together remembered too many: somebody invents names.', one(outlook.counts.forgotten))
  page.gauge('checkpoint_timestamp_seconds', 'When what was learned was last saved; 0: not yet.', one(books.checkpoints.at))
  page.counter('checkpoints_total', 'Times it was tried to save.', by('result', (['ok', 'failed'] as const).map((result) => [result, books.checkpoints[result]])))
  page.counter('config_reloads_total', 'Times the configuration was read again.', by('result', Object.entries(books.reloads)))
  return page.text()
}

/** What caps cost, by cap. */
function limitsOf(decoder: Decoder): [string, number][] {
  const frames = decoder.net.dropped()
  return Object.entries(decoder.dropped()).filter(([name]) => !(name in frames) && !name.startsWith('capture.'))
}

const sum = (values: readonly number[]): number => values.reduce((total, n) => total + n, 0)
