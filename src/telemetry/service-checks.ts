/** Is the service well? What `/readyz` answers. */
import type { Config } from '../config.ts'
import type { EventPublisher } from '../sinks/event-publisher.ts'
import type { Publisher } from '../sinks/publisher.ts'
import type { Check } from './health.ts'
import type { SelfWatch } from './self-watch.ts'

export interface ServiceHealth {
  self: SelfWatch
  settings: Config['service']
  /** Why nothing is captured, nothing can be saved, and the last configuration was refused. */
  problems: { capture: string | null; state: string | null; config: string | null }
  publisher: Publisher | undefined
  eventPublisher: EventPublisher | undefined
}

export function serviceChecks({ self, settings, problems, publisher, eventPublisher }: ServiceHealth): Check[] {
  const silent = self.silence > settings.no_traffic_minutes * 60_000
  return [
    { name: 'capture', problem: problems.capture ?? (silent ? `no frame for ${Math.round(self.silence / 1000)} s` : null) },
    { name: 'loss', problem: self.troubles.includes('ops.capture_loss') ? 'frames or bytes are lost' : null, degradedOnly: true },
    { name: 'state', problem: problems.state ?? publisher?.refusing ?? eventPublisher?.refusing ?? null },
    { name: 'config', problem: problems.config, degradedOnly: true },
    ...(publisher?.standing() ?? []).map(({ sink, totals, failing }): Check => {
      const isStalled = self.stalled(sink) > settings.stalled_minutes * 60_000
      return { name: `sink ${sink}`, problem: failing ?? (isStalled ? `${totals.held} alerts wait` : null), degradedOnly: !isStalled }
    }),
    ...(eventPublisher === undefined ? [] : [eventCheck(eventPublisher, self.stalled('kafka', 'events') > settings.stalled_minutes * 60_000)]),
  ]
}

const eventCheck = ({ failing, books }: EventPublisher, isStalled: boolean): Check =>
  ({ name: 'events', problem: failing ?? (isStalled ? `${books.waiting} events wait` : null), degradedOnly: !isStalled })
