/** A page of counters as Prometheus reads them (text format 0.0.4), and what every process of ours says on it. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { VERSION } from '../version.ts'

export type Labels = Record<string, string>
export type Sample = readonly [labels: Labels, value: number]

export const one = (value: number): Sample[] => [[{}, value]]
export const by = (label: string, values: Iterable<readonly [string, number]>): Sample[] => [...values].map(([key, value]) => [{ [label]: key }, value])

export class Page {
  readonly #lines: string[] = []

  counter(name: string, help: string, samples: Iterable<Sample>): void {
    this.#metric(`wardwire_${name}`, 'counter', help, samples)
  }

  gauge(name: string, help: string, samples: Iterable<Sample>): void {
    this.#metric(`wardwire_${name}`, 'gauge', help, samples)
  }

  /** The process itself; then the page is whole. */
  text(): string {
    this.gauge('build_info', 'Always 1.', [[{ version: VERSION, node: process.version }, 1]])
    const lag = loopLag()
    this.#metric('nodejs_eventloop_lag_seconds', 'gauge', 'Mean lag of the event loop since the last scrape.', one(lag.mean))
    this.#metric('nodejs_eventloop_lag_p99_seconds', 'gauge', '99th percentile of the lag since the last scrape.', one(lag.p99))
    const { rss, heapUsed } = process.memoryUsage()
    this.#metric('process_resident_memory_bytes', 'gauge', 'Resident memory.', one(rss))
    this.#metric('nodejs_heap_used_bytes', 'gauge', 'Memory of the JavaScript heap in use, garbage that is not collected yet included.', one(heapUsed))
    return `${this.#lines.join('\n')}\n`
  }

  #metric(name: string, type: 'counter' | 'gauge', help: string, samples: Iterable<Sample>): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    for (const [labels, value] of samples) this.#lines.push(`${name}${labelText(labels)} ${value}`)
  }
}

const loopDelay = monitorEventLoopDelay({ resolution: 10 })

export function startLoopMeasure(): void {
  loopDelay.enable()
}

/** Lag of the event loop, seconds: mean and the 99th percentile since the last time it was asked. */
function loopLag(): { mean: number; p99: number } {
  const idle = 0.01
  const lag = { mean: Math.max(0, loopDelay.mean / 1e9 - idle) || 0, p99: Math.max(0, loopDelay.percentile(99) / 1e9 - idle) || 0 }
  loopDelay.reset()
  return lag
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => c === '\n' ? '\\n' : `\\${c}`)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
