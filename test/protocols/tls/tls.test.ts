/** Real sessions of Node's own TLS, recorded by a relay on loopback, and what the dissector makes of them. */
import { once } from 'node:events'
import { connect as netConnect, createServer, type AddressInfo, type Server } from 'node:net'
import { connect as tlsConnect, createServer as createTlsServer, type SecureVersion } from 'node:tls'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { EventOf, Flow, WireEvent } from '../../../protocols/events.ts'
import { Pseudonyms } from '../../../protocols/phi.ts'
import { CLIENT, LOST, MORE, NO, SERVER, YES, YES_REVERSED, type Direction } from '../../../protocols/protocol.ts'
import { tls } from '../../../protocols/tls/index.ts'
import { clientHello } from '../../../protocols/tls/hello.ts'
import { cert, key } from './certificate.ts'

type Sent = [Direction, Buffer][]

const listening = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** What both ends of a session sent, in order. */
async function record(version: SecureVersion): Promise<Sent> {
  const sent: Sent = []
  const server = createTlsServer({ key, cert, minVersion: version, maxVersion: version, ALPNProtocols: ['dicom'] }, (socket) => socket.end('answer'))
  const port = await listening(server)
  const relay = createServer((near) => {
    const far = netConnect(port, '127.0.0.1')
    near.on('data', (b) => { sent.push([CLIENT, b]); far.write(b) }).on('end', () => far.end()).on('error', () => {})
    far.on('data', (b) => { sent.push([SERVER, b]); near.write(b) }).on('end', () => near.end()).on('error', () => {})
  })
  const relayPort = await listening(relay)
  const client = tlsConnect({ port: relayPort, host: '127.0.0.1', rejectUnauthorized: false, servername: 'pacs.example', ALPNProtocols: ['dicom'] })
  client.write('question')
  client.resume()
  await once(client, 'close')
  server.close()
  relay.close()
  return sent
}

const flow: Flow = {
  id: 'f', transport: 'tcp', vlan: [], community_id: '', midstream: false,
  client: { ip: '10.0.0.1', port: 50000, mac: null }, server: { ip: '10.0.0.2', port: 2762, mac: null },
}

/** Feeds a conversation the way the decoder does: what is left is offered again in front of what follows. */
function events(sent: Sent): WireEvent[] {
  const emitted: WireEvent[] = []
  const dissector = tls.open({ flow, pseudonyms: new Pseudonyms(new Uint8Array(32)), afterGap: false, lost: () => 0, emit: (e) => emitted.push(e) })
  const kept: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)]
  const lost: [boolean, boolean] = [false, false]
  for (const [direction, chunk] of sent) {
    if (lost[direction]) continue
    const bytes = Buffer.concat([kept[direction], chunk])
    const consumed = dissector.data(direction, bytes, 0, bytes.length, 1)
    if (consumed === LOST) lost[direction] = true
    else kept[direction] = bytes.subarray(Math.min(consumed, bytes.length))
  }
  dissector.end('fin', 2)
  return emitted
}

const split = (sent: Sent, size: number): Sent => sent.flatMap(([direction, b]) =>
  Array.from({ length: Math.ceil(b.length / size) }, (_, i): [Direction, Buffer] => [direction, b.subarray(i * size, (i + 1) * size)]))

let session12: Sent
let session13: Sent
beforeAll(async () => {
  session12 = await record('TLSv1.2')
  session13 = await record('TLSv1.3')
})

describe('a session', () => {
  test('does TLS 1.2 show version, name, protocol and certificate?', () => {
    expect(events(session12)).toEqual([expect.objectContaining({
      kind: 'tls.session', version: 'TLS 1.2', sni: 'pacs.example', alpn: 'dicom', complete: true,
      certificate: { subject: 'O=Invented Hospital, CN=pacs.example', issuer: 'O=Invented Hospital, CN=pacs.example', not_after: expect.stringMatching(/^21\d\d-/) as string },
    })])
  })

  test('does TLS 1.3 show its true version, and no certificate?', () => {
    expect(events(session13)).toEqual([expect.objectContaining({ version: 'TLS 1.3', sni: 'pacs.example', certificate: null, complete: true })])
  })

  test.each([1, 2, 3, 5, 7, 64, 1000])('does splitting it every %i bytes change nothing?', (size) => {
    expect(events(split(session12, size))).toEqual(events(session12))
    expect(events(split(session13, size))).toEqual(events(session13))
  })

  test('is a session cut anywhere still one event, or none claimed complete?', () => {
    const hello = session12[0]![1]
    for (let n = 0; n < hello.length; n++) {
      const [event, ...more] = events([[CLIENT, hello.subarray(0, n)]]) as EventOf<'tls.session'>[]
      expect(more).toEqual([])
      expect(event!.complete).toBe(false)
    }
  })

  test('does hostile content ever throw?', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 500 }), (changes, size) => {
      const mutated = session12.map(([d, b]): [Direction, Buffer] => [d, Buffer.from(b)])
      for (const [at, value] of changes) {
        const [, b] = mutated[at % mutated.length]!
        b[(at >> 3) % b.length] = value
      }
      events(split(mutated, size))
    }), { numRuns: 300 })
  })
})

describe('recognition', () => {
  const probe = (b: Uint8Array, direction: Direction, midstream = false): number => tls.probe(b, 0, b.length, direction, midstream)

  test('is a hello of either side recognised, and told from the other side\'s?', () => {
    const client = session13[0]![1]
    const server = session13.find(([d]) => d === SERVER)![1]
    expect(probe(client, CLIENT)).toBe(YES)
    expect(probe(server, SERVER)).toBe(YES)
    expect(probe(client, SERVER)).toBe(YES_REVERSED)
    expect(probe(client.subarray(0, 4), CLIENT)).toBe(MORE)
  })

  test('is anything else left alone?', () => {
    for (const text of ['GET / HTTP/1.1\r\n', '\x0bMSH|^~\\&|A', '\x01\x00\x00\x00\x00\xcd\x00\x01', 'NICK bob\r\n']) {
      expect(probe(Buffer.from(text, 'latin1'), CLIENT)).toBe(NO)
    }
  })

  test('in midstream, is one record header too little and two in a row enough?', () => {
    const data = (n: number): Buffer => Buffer.concat([Buffer.from([23, 3, 3, 0, n]), Buffer.alloc(n, 9)])
    expect(probe(data(20), CLIENT, true)).toBe(NO)
    expect(probe(Buffer.concat([data(20), data(30)]), CLIENT, true)).toBe(YES)
  })
})

describe('JA4', () => {
  test('does the example of its specification come out as published?', () => {
    // The specification's example client: 15 suites (one GREASE beside them), 16 extensions, h2, SNI.
    const suites = '0a0a 1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035'
    const signatures = '0403 0804 0401 0503 0805 0501 0806 0601'
    const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
    const u16 = (n: number): Buffer => Buffer.from([n >> 8, n & 255])
    const extension = (type: number, body: Buffer = Buffer.alloc(0)): Buffer => Buffer.concat([u16(type), u16(body.length), body])
    const list = (body: Buffer): Buffer => Buffer.concat([u16(body.length), body])
    const extensions = Buffer.concat([
      extension(0x1a1a), extension(0x001b), extension(0, list(Buffer.concat([Buffer.from([0]), list(Buffer.from('example.org'))]))), extension(0x0033),
      extension(16, list(Buffer.from('\x02h2\x08http/1.1'))), extension(0x4469), extension(0x0017), extension(0x002d), extension(0x000d, list(hex(signatures))),
      extension(0x0005), extension(0x0023), extension(0x0012), extension(43, Buffer.concat([Buffer.from([6]), hex('2a2a 0304 0303')])), extension(0xff01),
      extension(0x000b), extension(0x000a), extension(0x0015),
    ])
    const body = Buffer.concat([u16(0x0303), Buffer.alloc(32), Buffer.from([0]), list(hex(suites)), Buffer.from([1, 0]), list(extensions)])
    expect(clientHello(body, 0, body.length)!.ja4).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1')
  })
})
