/**
 * `npm run bench`: wardwire beside other readers of captures, on captures it makes itself, in one run.
 *
 *     npm run bench -- [--dicom BYTES] [--hl7 MESSAGES] [--runs N] [--write]     the table; --write puts it into docs/benchmarks.md
 *     npm run bench -- --rss [--bytes BYTES]                                     resident memory while 10 GB go through standard input
 *
 * Whole processes are timed, from start to end, the readers in turn, so that a slow moment of the machine meets all of them; medians count.
 * Captures are kept under `.bench/`, their names tell their sizes.
 */
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { count, script } from '../../fixtures/build/script.ts'
import { dicomTraffic, hl7Traffic } from './traffic.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = join(root, '.bench')

interface BenchOptions {
  dicom: number
  hl7: number
  runs: number
  rss: boolean
  bytes: number
  write: boolean
}

const options = script('bench', 'wardwire beside other readers of captures, on captures it makes itself')
  .option('--dicom <bytes>', 'bytes of images in the DICOM capture', count, 1e9)
  .option('--hl7 <messages>', 'messages in the HL7 capture', count, 1e6)
  .option('--runs <n>', 'runs of each reader', count, 5)
  .option('--rss', 'resident memory while a long capture goes through standard input, instead of the table', false)
  .option('--bytes <bytes>', 'with --rss: how long', count, 1e10)
  .option('--write', 'put the result into docs/benchmarks.md', false)
  .parse()
  .opts<BenchOptions>()

/** The decoder without models and without output: what of the time is whose. */
const DECODER_ALONE = `
import { openSync, readSync } from 'node:fs'
const [{ CaptureReader, FRAME, END }, { Decoder }, { Pseudonyms }] = await Promise.all(['capture/reader', 'decoder', 'phi'].map((name) => import(process.argv[1] + name + '.js')))
const decoder = new Decoder({ pseudonyms: new Pseudonyms(new Uint8Array(16)), emit: () => {} })
const reader = new CaptureReader()
const file = openSync(process.argv[2], 'r')
for (let step = reader.next(); step !== END; step = reader.next()) {
  if (step === FRAME) decoder.frame(reader)
  else {
    const count = readSync(file, reader.space())
    if (count === 0) reader.finish()
    else reader.filled(count)
  }
}
decoder.finish()
`
const protocols = `file://${join(root, 'dist/protocols')}/`
const cli = join(root, 'dist/src/cli.js')

interface Reader { name: string; command: (file: string) => string[] }

const isInstalled = (program: string): boolean => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0

const ALL: Reader[] = [
  { name: 'wardwire', command: (file) => ['node', cli, 'replay', file, '--alerts', '/dev/null'] },
  { name: 'wardwire, decoder alone', command: (file) => ['node', '--input-type=module', '-e', DECODER_ALONE, protocols, file] },
  { name: 'tcpdump -w /dev/null', command: (file) => ['tcpdump', '-r', file, '-w', '/dev/null'] },
  { name: 'tshark (all dissected)', command: (file) => ['tshark', '-n', '-r', file, '-d', 'tcp.port==11112,dicom', '-d', 'tcp.port==2575,hl7', '-q', '-z', 'io,phs'] },
  { name: 'suricata', command: (file) => ['suricata', '-r', file, '-S', '/dev/null', '-l', folder, '-k', 'none'] },
]
const READERS = ALL.filter(({ command }) => command('')[0] === 'node' || isInstalled(command('')[0]!))

interface Run { seconds: number; processor: number; rss: number }

/** Highest resident memory so far, in bytes; 0 where the system does not tell. */
function peakRss(pid: number): number {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** Processor time so far (user and system, all threads), in seconds; 0 where the system does not tell. */
function processorTime(pid: number): number {
  try {
    // proc(5): utime and stime are fields 14 and 15, in hundredths; the name before them may hold anything but is in brackets.
    const [utime, stime] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ').slice(11, 13)
    return (Number(utime) + Number(stime)) / 100
  } catch {
    return 0
  }
}

async function run([program, ...args]: string[], stdio: StdioOptions = ['ignore', 'ignore', 'pipe']): Promise<Run> {
  const start = performance.now()
  const child = spawn(program!, args, { stdio, cwd: root })
  let rss = 0
  let processor = 0
  let errors = ''
  child.stderr?.on('data', (text: Buffer) => { errors += text.toString() })
  const watch = setInterval(() => {
    rss = Math.max(rss, peakRss(child.pid!))
    processor = Math.max(processor, processorTime(child.pid!))
  }, 20)
  const [code] = await once(child, 'exit') as [number | null]
  clearInterval(watch)
  if (code !== 0) throw new Error(`${program} ${args.join(' ').slice(0, 80)} ended with ${code}: ${errors.slice(-500)}`)
  return { seconds: (performance.now() - start) / 1000, processor, rss }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!

async function capture(name: string, make: () => Iterable<Buffer>): Promise<string> {
  // The name tells what made it: a changed builder makes its captures anew.
  const version = createHash('sha256').update(readFileSync(join(import.meta.dirname, 'traffic.ts'))).digest('hex').slice(0, 8)
  const file = join(folder, `${name}-${version}.pcap`)
  if (!existsSync(file)) {
    process.stderr.write(`making ${relative(root, file)}\n`)
    mkdirSync(folder, { recursive: true })
    for (const old of readdirSync(folder)) if (old.startsWith(`${name}-`)) rmSync(join(folder, old))
    await pipeline(make(), createWriteStream(`${file}.part`))
    renameSync(`${file}.part`, file)
  }
  return file
}

async function compare(title: string, file: string, runs: number, rate: (seconds: number) => string): Promise<string[]> {
  const { size } = statSync(file)
  // Once unmeasured, so that all find the file in the page cache.
  readFileSync(file, { flag: 'r' })
  const times = READERS.map((): Run[] => [])
  for (let i = 0; i < runs; i++) {
    for (const [at, { name, command }] of READERS.entries()) {
      process.stderr.write(`${title}: ${name}, ${i + 1} of ${runs}\n`)
      times[at]!.push(await run(command(file)))
    }
  }
  const medians = times.map((of) => median(of.map((r) => r.seconds)))
  const rows = READERS.map(({ name }, at) => {
    const seconds = medians[at]!
    const ratio = seconds / medians[0]!
    const processor = median(times[at]!.map((r) => r.processor))
    return `| ${name} | ${seconds.toFixed(2)} | ${processor.toFixed(2)} | ${(size / 1e9 / seconds).toFixed(2)} | ${rate(seconds)} | ${ratio.toFixed(2)} | ${(Math.max(...times[at]!.map((r) => r.rss)) / 2 ** 20).toFixed(0)} |`
  })
  return [`### ${title}`, '', `| reader | seconds | of the processor, s | GB/s | rate | time against wardwire | peak RSS, MB |`, '| --- | ---: | ---: | ---: | ---: | ---: | ---: |', ...rows, '']
}

const machine = (): string => `${cpus()[0]!.model.trim()}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GB, Linux ${release()}, Node ${process.versions.node}`

async function table(): Promise<void> {
  const { dicom: dicomBytes, hl7: messages, runs } = options
  const dicom = await capture(`dicom-${dicomBytes}`, () => dicomTraffic(dicomBytes))
  const hl7 = await capture(`hl7-${messages}`, () => hl7Traffic(messages))
  const lines = [
    `Medians of ${runs} runs each, in turn, on ${machine()}; whole processes, files in the page cache.`, '',
    ...await compare(`${(dicomBytes / 1e9).toFixed(1)} GB of C-STORE over 50 associations, segments of 1,448 bytes`, dicom, runs, (s) => `${(dicomBytes / 1e9 / s).toFixed(2)} GB of images/s`),
    ...await compare(`${messages.toLocaleString('en')} HL7 messages of about 0.7 KB with acknowledgements, 8 interfaces`, hl7, runs, (s) => `${Math.round(messages / s).toLocaleString('en')} messages/s`),
  ]
  console.log(lines.join('\n'))
  if (options.write) record('table', lines)
}

/** Puts lines between two marks of docs/benchmarks.md. */
function record(mark: string, lines: string[]): void {
  const page = join(root, 'docs/benchmarks.md')
  const text = readFileSync(page, 'utf8')
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- end of ${mark} -->`]
  const from = text.indexOf(begin) + begin.length
  const to = text.indexOf(end)
  if (from < begin.length || to < from) throw new Error(`${page} has no place for "${mark}"`)
  writeFileSync(page, `${text.slice(0, from)}\n${lines.join('\n').trimEnd()}\n${text.slice(to)}`)
}

/** Resident memory of a child now, bytes. */
const rssNow = (child: ChildProcess): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024

async function memory(): Promise<void> {
  const { bytes } = options
  const child = spawn('node', [cli, 'replay', '-', '--alerts', '/dev/null'], { stdio: ['pipe', 'ignore', 'inherit'], cwd: root })
  const samples: number[] = []
  let sent = 0
  const start = performance.now()
  const watched = function* (): Generator<Buffer> {
    for (const chunk of dicomTraffic(bytes)) {
      sent += chunk.length
      if (sent >= (bytes * samples.length) / 20) samples.push(rssNow(child))
      yield chunk
    }
  }
  await pipeline(watched(), child.stdin)
  const [code] = await once(child, 'exit') as [number]
  if (code !== 0) throw new Error(`wardwire ended with ${code}`)
  const mega = samples.map((s) => (s / 2 ** 20).toFixed(0))
  const lines = [
    `${(sent / 1e9).toFixed(1)} GB of C-STORE through standard input in ${((performance.now() - start) / 1000).toFixed(0)} s (making it takes part of that), on ${machine()}.`,
    '', `Resident memory at each twentieth, MB: ${mega.join(' ')}. Highest: ${Math.max(...mega.map(Number))} MB.`,
  ]
  console.log(lines.join('\n'))
  if (options.write) record('memory', lines)
}

const build = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' })
if (build.status !== 0) process.exit(1)
await (options.rss ? memory() : table())
