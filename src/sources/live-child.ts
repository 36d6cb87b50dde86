/**
 * The capturing process: the only one that needs the right to capture, and the only home of `pcap`. It does nothing but copy frames out to
 * standard output as pcapng. Each second it adds the statistics of every interface; on a quiet network they are the tick of the clock.
 *
 *     live-child '{"interfaces":["eth1"],"filter":"","snapLength":262144,"bufferBytes":67108864}'
 *
 * - Writing waits until the reader takes it. While it waits the kernel's buffer fills, and what does not fit there is counted by the kernel:
 *   one place where frames are lost, with one truthful count.
 * - libpcap hands out frames as long as there are any, without turning the event loop, so the clock is looked at among the frames too.
 * - Frames of several interfaces are put in order of time within a batch: a tap has one direction on each.
 */
import { readFileSync, writeSync } from 'node:fs'
import type { PacketWithHeader, PcapSession } from 'pcap'
import { FAULTS, type Fault, type LiveOptions } from './live-options.ts'
import { PcapngWriter } from './pcapng-writer.ts'

/** A batch is sent when it has so many bytes, or is so old (milliseconds). */
const BATCH_BYTES = 256 * 1024
const BATCH_AGE = 40
/** Milliseconds libpcap gathers frames before it wakes us; 0 would be a system call for each, and loses earlier. */
const GATHER = 50
const STATISTICS = 1000
/** Frames between two looks at the clock. */
const LOOK = 256
/** Microseconds behind the present that a tick tells: frames that came before it may still be on their way out of the kernel. */
const TICK_BEHIND = 1_000_000

const LINK_TYPES: Record<string, number> = { LINKTYPE_NULL: 0, LINKTYPE_ETHERNET: 1, LINKTYPE_RAW: 101, LINKTYPE_LINUX_SLL: 113, LINKTYPE_IEEE802_11_RADIO: 127 }

function fail(fault: Fault, text: string): never {
  writeSync(2, `${text}\n`)
  process.exit(FAULTS[fault].code)
}

interface Source {
  name: string
  session: PcapSession
  /** The kernel's number of the interface; another one means another interface of the same name. */
  index: string | null
  /** Time of the last frame, microseconds. */
  last: number
}

const options = JSON.parse(process.argv[2]!) as LiveOptions
const pcap = await library()
const sources = options.interfaces.map(open)
const writer = new PcapngWriter(2 * BATCH_BYTES)
/** Frames of the batch, where there is more than one interface: they are sorted before they are written. */
let unsorted: { source: number; at: number; bytes: Buffer; wireLength: number }[] = []
let unsortedBytes = 0
let frames = 0
let batchBegan = 0
let nextStatistics = Date.now() + STATISTICS
let heardUntil = 0

writer.section()
for (const { name, session } of sources) writer.interface({ name, linkType: linkTypeOf(session.link_type), snapLength: options.snapLength })
send()
sources.forEach((source, id) => source.session.on('packet', (packet: PacketWithHeader) => take(source, id, packet)))
setInterval(send, BATCH_AGE)
setInterval(look, STATISTICS / 4)
// Ctrl-C reaches the whole group; whoever started us says when to stop.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {
  statistics(Date.now())
  send()
  // Closing a session waits for one more frame, which may never come.
  process.exit(0)
})

async function library(): Promise<typeof import('pcap')> {
  try {
    const found = await import('pcap') as typeof import('pcap') & { default?: typeof import('pcap'); warningHandler?: unknown }
    const module = found.default ?? found
    // It would write to standard output that an interface has no address, which is how a mirror port should be.
    Object.assign(module, { warningHandler: () => {} })
    return module
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const how = code === 'ERR_DLOPEN_FAILED' ? `it cannot be loaded: ${message.split('\n', 1)[0]}` : 'it was not built when wardwire was installed'
    return fail('library', `live capture needs the package pcap, and ${how}. Install libpcap and its headers (Debian: apt-get install libpcap-dev), then: npm rebuild pcap`)
  }
}

function open(name: string): Source {
  const settings = { filter: options.filter, snap_length: options.snapLength, buffer_size: options.bufferBytes, buffer_timeout: GATHER }
  try {
    // The pseudo-interface for all of them can't be promiscuous.
    return { name, session: pcap.createSession(name, { ...settings, promiscuous: name !== 'any' }), index: indexOf(name), last: 0 }
  } catch (error) {
    const text = (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!
    if (/not permitted|permission|EPERM|EACCES/i.test(text)) {
      return fail('right', `capturing on ${name} is not permitted: run it as root, or give the right to capture (CAP_NET_RAW) as docs/deploy/systemd shows`)
    }
    if (/no such device|doesn't exist|not exist|SIOC/i.test(text)) return fail('interface', `there is no interface ${name}; there are: ${interfaces()}`)
    if (/not up|went down|network is down/i.test(text)) return fail('interface', `the interface ${name} is down: ip link set ${name} up`)
    return options.filter === '' ? fail('gone', `${name}: ${text}`) : fail('filter', `the capture filter is refused: ${text}`)
  }
}

function interfaces(): string {
  try {
    return pcap.findalldevs().map(({ name }) => name).filter((name) => !/^(bluetooth|nf|usbmon|dbus)/.test(name)).join(', ')
  } catch {
    return 'none that may be seen'
  }
}

/** Of our own network namespace; yes where the system does not tell. */
function isThere(name: string): boolean {
  try {
    return readFileSync('/proc/self/net/dev', 'latin1').split('\n').some((line) => line.trimStart().startsWith(`${name}:`))
  } catch {
    return true
  }
}

/** Null where the system does not tell. */
function indexOf(name: string): string | null {
  try {
    return readFileSync(`/sys/class/net/${name}/ifindex`, 'latin1')
  } catch {
    return null
  }
}

/** The package names five types, and gives the number of others as text. */
function linkTypeOf(name: string): number {
  return LINK_TYPES[name] ?? Number(/\d+$/.exec(name)?.[0] ?? 0)
}

/** One buffer and one header serve all frames of a session: what is kept is copied. */
function take(source: Source, id: number, { buf, header }: PacketWithHeader): void {
  const at = header.readUInt32LE(0) * 1e6 + header.readUInt32LE(4)
  const length = Math.min(header.readUInt32LE(8), buf.length)
  const wireLength = header.readUInt32LE(12)
  source.last = at
  if (sources.length === 1) {
    writer.packet(id, at, buf, 0, length, wireLength)
  } else {
    unsorted.push({ source: id, at, bytes: Buffer.from(buf.subarray(0, length)), wireLength })
    unsortedBytes += length
  }
  if (writer.size + unsortedBytes >= BATCH_BYTES) send()
  if (++frames % LOOK === 0) look()
}

function look(): void {
  const now = Date.now()
  if (now >= nextStatistics) {
    nextStatistics = now + STATISTICS
    statistics(now)
    for (const { name, index } of sources) {
      if (name !== 'any' && (!isThere(name) || (index !== null && indexOf(name) !== index))) {
        send()
        fail('gone', `the interface ${name} is gone`)
      }
    }
  }
  if (now - batchBegan >= BATCH_AGE) send()
}

/** What was lost, and how far the clock is: as far as the frames where there are any, behind the present where there are none. */
function statistics(now: number): void {
  sort()
  const latest = Math.max(...sources.map(({ last }) => last))
  const isQuiet = latest <= heardUntil
  heardUntil = latest
  const at = isQuiet ? Math.max(latest, now * 1000 - TICK_BEHIND) : latest
  sources.forEach(({ session }, interfaceId) => {
    const { ps_recv, ps_drop, ps_ifdrop } = session.stats()
    writer.statistics({ interfaceId, at, kernelDrops: ps_drop, interfaceDrops: ps_ifdrop }, ps_recv)
  })
}

function sort(): void {
  if (unsorted.length === 0) return
  unsorted.sort((a, b) => a.at - b.at)
  for (const { source, at, bytes, wireLength } of unsorted) writer.packet(source, at, bytes, 0, bytes.length, wireLength)
  unsorted = []
  unsortedBytes = 0
}

function send(): void {
  batchBegan = Date.now()
  sort()
  const batch = writer.take()
  for (let sent = 0; sent < batch.length;) {
    try {
      sent += writeSync(1, batch, sent)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN') wait()
      // Nobody reads any more.
      else process.exit(0)
    }
  }
}

/** Standard output is somebody else's pipe that does not wait by itself. */
function wait(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
}
