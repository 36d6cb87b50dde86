/** `wardwire consume --kafka BROKERS`: alerts from the topic, as they come. */
import { SEVERITIES, type Severity } from '../../models/alert.ts'
import { kafkaConfig, loadConfig } from '../config.ts'
import { UserError, reason } from '../errors.ts'
import { fromNative } from '../sinks/formats/native.ts'
import { topics } from '../sinks/kafka-client.ts'
import { alertText, terminalStyle } from '../sinks/terminal.ts'
import { consumeAlerts } from '../sources/kafka.ts'

export interface ConsumeCommandOptions {
  kafka?: string
  json?: boolean
  severity?: string
  fromBeginning?: boolean
  group?: string
  count?: string
  config?: string
}

const say = (line: string): void => { process.stderr.write(`wardwire: ${line}\n`) }

/** Ends on SIGINT or SIGTERM, or after `--count` alerts. @returns the exit code. @throws {UserError} on bad usage */
export async function consume(options: ConsumeCommandOptions): Promise<number> {
  const kafka = kafkaConfig(loadConfig(options.config).kafka, options.kafka)
  if (options.severity !== undefined && !SEVERITIES.includes(options.severity as Severity)) {
    throw new UserError(`--severity ${options.severity}: give one of ${SEVERITIES.join(', ')}`, 2)
  }
  const count = options.count === undefined ? Infinity : Number(options.count)
  if (!(count >= 1)) throw new UserError(`--count ${options.count}: give a number of alerts`, 2)

  const end = new AbortController()
  const stop = (): void => end.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  process.stdout.on('error', stop)
  let left = count
  try {
    const alerts = consumeAlerts({
      kafka, signal: end.signal,
      ...(options.severity !== undefined && { severity: options.severity as Severity }),
      ...(options.group !== undefined && { group: options.group }),
      fromBeginning: options.fromBeginning ?? false,
      onReady: () => say(`reading ${topics(kafka.topic_prefix).alerts} on ${kafka.brokers.join(', ')}`),
      onSkipped: ({ partition, offset }, why) => say(`passed over what is no alert, partition ${partition}, offset ${offset}: ${why}`),
    })
    for await (const alert of alerts) {
      process.stdout.write(options.json === true ? `${JSON.stringify(alert)}\n` : `${alertText(fromNative(alert), terminalStyle(process.stdout))}\n`)
      if (--left === 0) break
    }
    return 0
  } catch (error) {
    if (error instanceof UserError) throw error
    say(`cannot read from Kafka at ${kafka.brokers.join(', ')}: ${reason(error)}`)
    return 1
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    process.stdout.off('error', stop)
  }
}
