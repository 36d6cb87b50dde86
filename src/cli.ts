#!/usr/bin/env node
/** The command line: words in, exit code out. Each command is one file in `commands/`, loaded when it is asked for. */
import { Command, CommanderError } from 'commander'
import type { BaselineOptions } from './commands/baseline.ts'
import type { ConsoleOptions } from './commands/console.ts'
import type { ConsumeCommandOptions } from './commands/consume.ts'
import type { EvidenceOptions } from './commands/evidence.ts'
import type { DetectOptions } from './commands/detect.ts'
import type { InspectOptions } from './commands/inspect.ts'
import type { InventoryOptions, SegmentsOptions } from './commands/posture.ts'
import type { ReplayOptions } from './commands/replay.ts'
import type { SliceCommandOptions } from './commands/slice.ts'
import type { CaptureOptions } from './commands/capture-options.ts'
import type { WatchOptions } from './commands/watch.ts'
import { UserError } from './errors.ts'
import { VERSION } from './version.ts'

async function main(argv: string[]): Promise<number> {
  let exitCode = 0
  const program = new Command('wardwire')
    .description('Passive anomaly detection for medical devices: DICOM and HL7 v2 from captured traffic to explained alerts.')
    .version(VERSION)
    .showHelpAfterError('(wardwire COMMAND --help lists what it takes)')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'wardwire: ')) })
    .exitOverride()

  judging(program.command('replay')
    .description('read captures in capture-time order; learn and judge as they go')
    .argument('<file...>', 'pcap or pcapng, plain, gzip or zstd; - for standard input'), 'write')
    .option('--report <file>', 'write a self-contained HTML report: alerts, timeline, map, devices, what was not seen')
    .option('--inventory <file>', 'write the devices seen: JSON, or by its name .csv or .cdx.json (CycloneDX)')
    .option('--segments <file>', 'write the segmentation audit: JSON; its rules where the name ends with .csv or .nft')
    .action(async (files: string[], options: ReplayOptions) => {
      const { replay } = await import('./commands/replay.ts')
      exitCode = await replay(files, options)
    })

  judging(capturing(program.command('watch')
    .description('capture live, learn and judge as a service; SIGTERM ends it, SIGHUP reads the configuration again')
    .argument('[input]', '- for standard input: tcpdump -w - | wardwire watch -'))
    .option('--socket <path>', 'listen on this stream socket for wardwire capture --socket')
    .option('--write <file>', 'keep what is captured, as pcapng'), 'append')
    .option('--metrics-port <port>', 'serve /metrics, /livez and /readyz on this port of 127.0.0.1')
    .option('--console [port]', 'serve the console on this port of 127.0.0.1 (default: 8474); its address, which holds the key, goes to the terminal or to console-address in the state folder')
    .action(async (input: string | undefined, options: WatchOptions) => {
      const { watch } = await import('./commands/watch.ts')
      exitCode = await watch(input, options)
    })

  capturing(program.command('capture')
    .description('capture only: write frames as pcapng to standard output or to a socket, for a unit that alone has the right to'))
    .option('--socket <path>', 'the stream socket on which wardwire watch --socket listens')
    .action(async (options: CaptureOptions & { socket?: string }) => {
      const { capture } = await import('./commands/capture.ts')
      exitCode = await capture(options)
    })

  baselineCommands(program.command('baseline').description('what was learned of each device; why an alert was raised; answers to alerts'), (code) => { exitCode = code })

  program.command('consume')
    .description('print alerts from Kafka as they come')
    .option('--kafka <brokers>', 'host:port,...; TLS and SASL are in the configuration')
    .option('--json', 'one JSON object a line (default: readable)')
    .option('--severity <least>', 'of at least this severity: info, low, medium, high, critical')
    .option('--from-beginning', 'begin with the oldest alert of the topic (default: the next one)')
    .option('--group <name>', 'share the alerts with other readers of this group, and go on where it was')
    .option('--count <n>', 'end after so many alerts')
    .option('--config <file>', 'the configuration file')
    .action(async (options: ConsumeCommandOptions) => {
      const { consume } = await import('./commands/consume.ts')
      exitCode = await consume(options)
    })

  configured(program.command('detect')
    .description('judge the events that sensors publish to Kafka (--publish-events); workers of one group share the sites')
    .option('--kafka <brokers>', 'host:port,...; TLS and SASL are in the configuration')
    .option('--group <name>', 'the workers that share the work and its state', 'detect')
    .option('--state <folder>', 'keep a copy of the state here too, so that a start need not read it from Kafka'), '; the same for all workers')
    .option('--metrics-port <port>', 'serve /metrics, /livez and /readyz on this port of 127.0.0.1')
    .action(async (options: DetectOptions) => {
      const { detect } = await import('./commands/detect.ts')
      exitCode = await detect(options)
    })

  program.command('inspect')
    .description('list the conversations of captures, readable: associations, operations, messages, violations')
    .argument('<file...>', 'pcap or pcapng, plain, gzip or zstd; - for standard input')
    .option('--flow <id>', 'one conversation, in full: its id, or a Community ID as alerts name it')
    .option('--message <control-id>', 'the HL7 messages of this control id (MSH-10), field by field; only with --show-phi')
    .option('--show-phi', 'show patient and order identifiers instead of pseudonyms')
    .option('--config <file>', 'the configuration file, whose seed makes the Community IDs, and whose key the pseudonyms')
    .action(async (files: string[], options: InspectOptions) => {
      const { inspect } = await import('./commands/inspect.ts')
      exitCode = await inspect(files, options)
    })

  program.command('console')
    .description('look at a state live in the browser, on this machine only: alerts as they are raised, acknowledge, allow, mark malicious')
    .requiredOption('--state <folder>', 'what replay or watch has written, or is writing')
    .option('--port <port>', 'on 127.0.0.1; 0 for any that is free', '8474')
    .action(async (options: ConsoleOptions) => {
      const { consoleCommand } = await import('./commands/console.ts')
      exitCode = await consoleCommand(options)
    })

  program.command('slice')
    .description('cut the packets behind an alert out of captures: whole conversations, as they were captured, PATIENT DATA included')
    .argument('<file...>', 'the captures: pcap or pcapng, plain, gzip or zstd')
    .requiredOption('--alert <file:id>', 'the alert: a file of alerts (JSON lines) or a report, and the id')
    .option('-o, --output <file>', 'pcap, or pcapng where nanoseconds or several link types need it (default: ID-raw-patient-data.pcap)')
    .option('--config <file>', 'the configuration file')
    .action(async (files: string[], options: SliceCommandOptions) => {
      const { sliceCommand } = await import('./commands/slice.ts')
      exitCode = await sliceCommand(files, options)
    })

  program.command('evidence')
    .description('pack alerts with their events, packets (PATIENT DATA included), baseline and checksums for hand-over')
    .argument('<file:id...>', 'the alerts: a file of alerts (JSON lines) or a report, and the id')
    .requiredOption('--capture <file...>', 'the captures they were raised from')
    .option('-o, --output <file>', 'a .tar.gz (default: ID-evidence-raw-patient-data.tar.gz)')
    .option('--state <folder>', 'what was learned, for the numbers of the baseline')
    .option('--config <file>', 'the configuration file')
    .action(async (names: string[], options: EvidenceOptions) => {
      const { evidence } = await import('./commands/evidence.ts')
      exitCode = await evidence(names, options)
    })

  program.command('inventory')
    .description('list the devices that a state folder knows')
    .requiredOption('--state <folder>', 'as given to replay or watch')
    .option('--json', 'everything, as JSON')
    .option('--csv', 'for a spreadsheet')
    .option('--cyclonedx', 'as a CycloneDX bill of materials')
    .action(async (options: InventoryOptions) => {
      const { inventoryCommand } = await import('./commands/posture.ts')
      exitCode = await inventoryCommand(options)
    })

  program.command('segments')
    .description('audit the segmentation of the site that a state folder knows')
    .requiredOption('--state <folder>', 'as given to replay or watch')
    .option('--json', 'everything, as JSON')
    .option('--csv', 'the least-privilege rules, for a spreadsheet')
    .option('--nftables', 'the least-privilege rules, for nft -f')
    .option('--config <file>', 'the configuration file, whose `segments` name the networks')
    .action(async (options: SegmentsOptions) => {
      const { segmentsCommand } = await import('./commands/posture.ts')
      exitCode = await segmentsCommand(options)
    })

  program.command('check')
    .description('validate a configuration file and print what is in force')
    .argument('[config]', 'YAML or JSON; without it, the defaults are printed: a file to start from')
    .action(async (path: string | undefined) => {
      const { check } = await import('./commands/check.ts')
      exitCode = check(path)
    })

  try {
    await program.parseAsync(argv)
    return exitCode
  } catch (error) {
    // Commander has said what is wrong already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof UserError) {
      process.stderr.write(`wardwire: ${error.message}\n`)
      return error.exitCode
    }
    throw error
  }
}

// What several commands are told in the same words.

/** Of those that read frames and judge. @param how alerts and events get into their files */
function judging(command: Command, how: 'write' | 'append'): Command {
  return configured(command
    .option('--alerts <file>', `${how} alerts, one JSON object a line; - for standard output (default: a readable list)`)
    .option('--format <form>', 'form of --alerts: native, ecs, ocsf or cef', 'native')
    .option('--kafka <brokers>', 'publish alerts to Kafka, host:port,...; TLS and SASL are in the configuration')
    .option('--publish', 'send alerts to the sinks and brokers that the configuration names')
    .option('--publish-events', 'publish events instead of alerts to Kafka, for the workers that judge them (wardwire detect)')
    .option('--events <file>', `${how} every event, one JSON object a line; - for standard output`)
    .option('--state <folder>', 'start from, and save, what was learned; alerts wait there until they are delivered')
    .option('--freeze', 'judge by the state, do not learn'))
}

/** Of all that judge. */
function configured(command: Command, forAll = ''): Command {
  return command
    .option('--learn-until <time>', `raise nothing before this capture time (RFC 3339)${forAll}`)
    .option('--calendar <file>', `declared changes and known peers (JSON or YAML)${forAll}`)
    .option('--config <file>', 'the configuration file')
}

/** Of those that capture. */
function capturing(command: Command): Command {
  return command
    .option('-i, --interface <name>', 'capture on this interface; repeat it for more', (name: string, names: string[] | undefined) => [...(names ?? []), name])
    .option('--filter <expression>', 'capture filter of libpcap, for example "tcp port 104 or tcp port 2575" (default: everything)')
    .option('--snaplen <bytes>', 'bytes kept of each frame (default: 262144)')
    .option('--buffer <mebibytes>', 'buffer of the kernel for each interface (default: 64)')
}

function baselineCommands(baseline: Command, done: (exitCode: number) => void): void {
  const commands = async (): Promise<typeof import('./commands/baseline.ts')> => import('./commands/baseline.ts')
  // Common to all of them, before or after the command's name.
  baseline.configureHelp({ showGlobalOptions: true })
  baseline.requiredOption('--state <folder>', 'the state that replay or watch has saved')
  const names = (): string => baseline.commands.map((command) => command.name()).join(', ')
  baseline.command('show', { isDefault: true })
    // The default one hears of every word that is no command.
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: too many arguments.*/, `wardwire: baseline has no such command; it has ${names()}`).replace(/^error: /, 'wardwire: ')) })
    .description('what is known of each device, the thresholds in force, alerts kept and answers given')
    .option('--device <name>', 'one device: id, name, address, AE title or HL7 application')
    .option('--json', 'as JSON')
    .action(async (_: unknown, command: Command) => done(await (await commands()).show(command.optsWithGlobals<BaselineOptions>())))
  baseline.command('explain')
    .description('compute every number of an alert again, and say what still holds')
    .argument('<alert>', 'its id')
    .option('--json', 'as JSON')
    .action(async (id: string, _: unknown, command: Command) => done(await (await commands()).explainAlert(id, command.optsWithGlobals<BaselineOptions>())))
  baseline.command('allow')
    .description('the same again, between the same devices and not much more of it, is a note until a day')
    .argument('<alert>', 'its id')
    .option('--days <n>', 'how long, in capture time after the alert', '30')
    .option('--why <text>', 'the reason, shown in later alerts')
    .action(async (id: string, _: unknown, command: Command) => done(await (await commands()).allowAlert(id, command.optsWithGlobals<BaselineOptions & { days: string; why?: string }>())))
  baseline.command('malicious')
    .description('take what the time of the alert taught out of the baseline')
    .argument('<alert>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => done(await (await commands()).maliciousAlert(id, command.optsWithGlobals<BaselineOptions>())))
  baseline.command('take-back')
    .description('take back the answers to an alert')
    .argument('<alert>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => done(await (await commands()).takeBack(id, command.optsWithGlobals<BaselineOptions>())))
}

// A reader of standard output that goes away (`| head`) is no fault; whoever writes there notices by itself.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') throw error })

process.exitCode = await main(process.argv)
