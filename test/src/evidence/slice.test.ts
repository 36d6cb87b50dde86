/** Is what is cut exactly the conversations of the alert, as they were captured? */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Alert } from '../../../models/alert.ts'
import { Decoder } from '../../../protocols/decoder.ts'
import type { EventOf } from '../../../protocols/events.ts'
import { Pseudonyms } from '../../../protocols/phi.ts'
import { findAlert } from '../../../src/evidence/alerts.ts'
import { slice } from '../../../src/evidence/slice.ts'
import { nativeAlert } from '../../../src/sinks/formats/native.ts'
import { readCaptures } from '../../../src/sources/captures.ts'
import { ACK, ethernet, fragments, ip, RST, SYN, tcp, type EtherPayload, type WireFrame } from '../../../fixtures/build/frames.ts'
import { enhancedPacket, interfaceDescription, pcapFile, sectionHeader, tsresol } from '../../../fixtures/build/pcap-writer.ts'
import { frameOf, linuxCooked, vxlan } from '../../../fixtures/build/wrappings.ts'
import { makeAlert } from '../alert.ts'
import { START } from '../small-hospital.ts'

const folder = mkdtempSync(join(tmpdir(), 'wardwire-slice-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const A = '10.1.0.1'
const B = '10.1.0.2'
const talk = (sport: number, payload: string, src = A, dst = B): EtherPayload =>
  ip({ src, dst }, tcp({ sport, dport: 104, seq: 1, flags: ACK, payload: Buffer.from(payload) }))
const opening = (sport: number, seq = 0): EtherPayload => ip({ src: A, dst: B }, tcp({ sport, dport: 104, seq, flags: SYN }))
const reset = (sport: number): EtherPayload => ip({ src: B, dst: A }, tcp({ sport: 104, dport: sport, seq: 1, ack: 6, flags: RST | ACK }))

let files = 0
function saved(bytes: Uint8Array): string {
  const path = join(folder, `in-${files++}.pcap`)
  writeFileSync(path, bytes)
  return path
}

interface Read { at: number; nanos: number; hex: string; linkType: number; wireLength: number }

async function frames(path: string): Promise<Read[]> {
  const read: Read[] = []
  const { problems } = await readCaptures([path], {
    onFrame: (f) => read.push({ at: f.at, nanos: f.nanos ?? 0, hex: Buffer.from(f.bytes.subarray(f.start, f.end)).toString('hex'), linkType: f.linkType, wireLength: f.wireLength }),
  })
  expect(problems).toEqual([])
  return read
}

async function flowsOf(path: string): Promise<EventOf<'flow'>[]> {
  const found: EventOf<'flow'>[] = []
  const decoder = new Decoder({ pseudonyms: new Pseudonyms(new Uint8Array(32)), emit: (e) => { if (e.kind === 'flow') found.push(e) } })
  await readCaptures([path], { onFrame: (f) => decoder.frame(f) })
  decoder.finish()
  return found
}

/** An alert about the conversations that a client port was used for. */
async function about(path: string, port: number, change: Partial<Alert> = {}): Promise<Alert> {
  const flows = (await flowsOf(path)).filter((f) => f.flow.client.port === port)
  expect(flows.length).toBeGreaterThan(0)
  return makeAlert({ flows: [flows[0]!.flow.community_id], evidence: [], first_seen: flows[0]!.started, last_seen: flows[0]!.ended_at, ...change })
}

const cutOut = async (path: string, alert: Alert): Promise<{ out: string; frames: Read[]; format: string }> => {
  const out = join(folder, `out-${files++}.pcap`)
  const { format } = await slice([path], alert, out, { communityIdSeed: 0 })
  return { out, frames: await frames(out), format }
}

const wire = (frame: Uint8Array, second: number): WireFrame => ({ bytes: frame, at: START + second * 1e6 })

describe('a slice', () => {
  test('is it the whole conversation, and no frame of another?', async () => {
    const mine = [opening(5000), talk(5000, 'one'), talk(5000, 'two')].map((f, i) => wire(frameOf(f), i * 10))
    const others = [opening(5001), talk(5001, 'x'), talk(5000, 'y', '10.1.0.9')].map((f, i) => wire(frameOf(f), i * 10 + 1))
    const path = saved(pcapFile([...mine, ...others].sort((a, b) => a.at - b.at)))
    const { frames: cut, format, out } = await cutOut(path, await about(path, 5000))
    expect(format).toBe('pcap')
    expect(cut.map((f) => f.hex)).toEqual(mine.map((f) => Buffer.from(f.bytes).toString('hex')))
    expect(cut.map((f) => f.at)).toEqual(mine.map((f) => f.at))
    expect(statSync(out).mode & 0o077).toBe(0)
  })

  test('does the same pair of ports, used again days later, stay out?', async () => {
    const early = [opening(5000), talk(5000, 'early'), reset(5000)].map((f, i) => wire(frameOf(f), i))
    const late = [opening(5000, 777_000), talk(5000, 'later')].map((f, i) => wire(frameOf(f), 4 * 86_400 + i))
    const path = saved(pcapFile([...early, ...late]))
    const { frames: cut } = await cutOut(path, await about(path, 5000))
    expect(cut.map((f) => f.hex)).toEqual(early.map((f) => Buffer.from(f.bytes).toString('hex')))
  })

  test('are nanoseconds, several link types, tunnels and original lengths kept?', async () => {
    const inner = [opening(5000), talk(5000, 'in a tunnel')].map((f) => ethernet(ip({ src: '192.0.2.1', dst: '192.0.2.2' }, vxlan(frameOf(f)))))
    const cooked = linuxCooked(talk(5000, 'cooked'))
    const ticks = { ticks: 1e9 }
    const exact = (nanos: number, block: Uint8Array): Uint8Array => {
      // The builder's clock is microseconds; the block's low word takes the rest.
      const view = new DataView(block.buffer, block.byteOffset)
      const whole = (BigInt(view.getUint32(12, true)) << 32n) + BigInt(view.getUint32(16, true)) + BigInt(nanos)
      view.setUint32(12, Number(whole >> 32n), true)
      view.setUint32(16, Number(whole & 0xffff_ffffn), true)
      return block
    }
    const path = saved(Buffer.concat([
      sectionHeader(), interfaceDescription({ linkType: 1, options: [tsresol(9)] }), interfaceDescription({ linkType: 113, options: [tsresol(9)] }),
      exact(1, enhancedPacket({ ...wire(inner[0]!, 0), interfaceId: 0 }, ticks)),
      exact(999, enhancedPacket({ ...wire(inner[1]!, 1), interfaceId: 0 }, ticks)),
      exact(123, enhancedPacket({ ...wire(cooked, 2), interfaceId: 1, wireLength: cooked.length + 40 }, ticks)),
    ]))
    const { frames: cut, format, out } = await cutOut(path, await about(path, 5000))
    expect(format).toBe('pcapng')
    expect(cut).toEqual(await frames(path))
    expect(cut.map((f) => f.nanos)).toEqual([1, 999, 123])
    expect(cut.map((f) => f.linkType)).toEqual([1, 1, 113])
    const reader = opens(out)
    if (reader !== undefined) expect(reader).toBe(3)
  })

  test('does a conversation in fragments keep all of them?', async () => {
    const large = tcp({ sport: 5000, dport: 104, seq: 1, flags: ACK, payload: Buffer.alloc(3000, 0x41) })
    const all = [opening(5000), ...fragments({ src: A, dst: B, id: 7 }, large, 1000)].map((f, i) => wire(frameOf(f), i / 100))
    const path = saved(pcapFile([...all, wire(frameOf(talk(5001, 'x', '10.1.0.9')), 1)]))
    expect((await cutOut(path, await about(path, 5000))).frames.length).toBe(all.length)
  })

  test('is a full list of conversations completed from the hosts the alert names?', async () => {
    const all = Array.from({ length: 70 }, (_, i) => [opening(6000 + i), talk(6000 + i, 'x')]).flat().map((f, i) => wire(frameOf(f), i))
    const path = saved(pcapFile(all))
    const ids = (await flowsOf(path)).map((f) => f.flow.community_id)
    const alert = makeAlert({ flows: ids.slice(0, 60), evidence: [], hosts: [A, B], device: { ...makeAlert().device, ip: [A] }, first_seen: START, last_seen: START + 140e6 })
    expect((await cutOut(path, alert)).frames.length).toBe(all.length)
  })

  test('is nothing found one clear error, and standard input refused?', async () => {
    const path = saved(pcapFile([wire(frameOf(opening(5000)), 0)]))
    await expect(slice([path], makeAlert({ flows: ['1:nothing='], evidence: [] }), join(folder, 'none'), { communityIdSeed: 0 })).rejects.toThrow('no conversation of alert')
    await expect(slice(['-'], makeAlert(), join(folder, 'none'), { communityIdSeed: 0 })).rejects.toThrow('give a file')
  })
})

describe('the name of an alert', () => {
  test('does the last revision count, and is a broken line passed over?', async () => {
    const path = join(folder, 'odd:name.jsonl')
    writeFileSync(path, ['{"id":"a-1', nativeAlert(makeAlert({ id: 'a-1', revision: 1 })), '[1,2]', nativeAlert(makeAlert({ id: 'a-1', revision: 2 })), nativeAlert(makeAlert({ id: 'a-12' }))].join('\n'))
    expect((await findAlert(`${path}:a-1`)).revision).toBe(2)
    await expect(findAlert(`${path}:a-3`)).rejects.toThrow('has no alert a-3')
    await expect(findAlert('nothing')).rejects.toThrow('FILE:ID')
    await expect(findAlert(`${join(folder, 'absent')}:a`)).rejects.toThrow('no such file')
  })
})

/** Packets that Wireshark's reader counts; undefined where it is not installed. */
function opens(path: string): number | undefined {
  try {
    return execFileSync('tshark', ['-r', path, '-T', 'fields', '-e', 'frame.number'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim().split('\n').length
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    console.warn('no tshark on this machine: whether Wireshark opens a slice is not tested')
    return undefined
  }
}

