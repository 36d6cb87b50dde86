import { appendFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AlertJson } from '../../../src/schema.ts'
import { HttpSink } from '../../../src/sinks/http.ts'
import { JsonlSink } from '../../../src/sinks/rotating-jsonl.ts'
import { Refused } from '../../../src/sinks/sink.ts'
import { SyslogSink, syslogMessage } from '../../../src/sinks/syslog.ts'
import { cert, key } from '../../protocols/tls/certificate.ts'
import { makeAlert, numbered } from '../alert.ts'
import { contract, ids, never, published, until } from './contract.ts'
import { folder, httpServer, jsonlReceiver, sinkConfig, splunkReceiver, syslogReceiver, webhookReceiver } from './receivers.ts'
import { parseCef } from './formats/cef.ts'

const tls = (): { key: string; cert: string; caFile: string } => {
  const caFile = join(folder(), 'ca.pem')
  writeFileSync(caFile, cert)
  return { key, cert, caFile }
}

contract('jsonl', jsonlReceiver)
contract('syslog over TCP', () => syslogReceiver())
contract('syslog over TLS', () => syslogReceiver(tls()))
contract('webhook', webhookReceiver)
contract('Splunk', () => splunkReceiver(false))
contract('Splunk with indexer acknowledgement', () => splunkReceiver(true))

describe('jsonl', () => {
  test('is a file that has its size moved on, and the oldest removed?', async () => {
    const place = folder()
    const sink = new JsonlSink(sinkConfig({ type: 'jsonl', path: join(place, 'a.jsonl'), max_bytes: 4000, keep: 3 }))
    for (let n = 0; n < 20; n++) await sink.send([numbered(n)])
    expect(readdirSync(place).sort()).toEqual(['a.jsonl', 'a.jsonl.1', 'a.jsonl.2', 'a.jsonl.3'].filter((name) => readdirSync(place).includes(name)))
    const lines = ['a.jsonl.3', 'a.jsonl.2', 'a.jsonl.1'].flatMap((name) => readFileSync(join(place, name), 'utf8').trimEnd().split('\n'))
    const got = lines.map((line) => Number((JSON.parse(line) as AlertJson).id.slice(3)))
    expect(got).toEqual(Array.from({ length: got.length }, (_, i) => got[0]! + i))
    expect(got.length).toBeGreaterThanOrEqual(6)
    expect(got[0]).toBeGreaterThan(0)
  })

  test('is half a line that a crash left kept apart from the next?', async () => {
    const path = join(folder(), 'a.jsonl')
    appendFileSync(path, '{"id":"half')
    await new JsonlSink(sinkConfig({ type: 'jsonl', path })).send([numbered(1)])
    const [half, whole] = readFileSync(path, 'utf8').split('\n')
    expect(half).toBe('{"id":"half')
    expect((JSON.parse(whole!) as AlertJson).id).toBe('id-1')
  })

  test('is a folder in its place a failure that says so?', async () => {
    const path = join(folder(), 'a.jsonl')
    mkdirSync(path)
    await expect(new JsonlSink(sinkConfig({ type: 'jsonl', path })).send([numbered(1)])).rejects.toThrow(/EISDIR/)
  })
})

describe('syslog', () => {
  const config = sinkConfig({ type: 'syslog', host: 'h' })
  /** RFC 5424 section 6, as far as we use it. */
  const MESSAGE = /^<(\d{1,3})>1 (\S+) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) - ([\x21-\x7e]{1,32}) \[origin software="wardwire" swVersion="[^"\\\]]+"\] (.*)$/su

  test('is a message what RFC 5424 says, with CEF in it?', () => {
    const [, priority, time, host, app, id, text] = MESSAGE.exec(syslogMessage(makeAlert(), config, 'radiology'))!
    expect({ priority, time, host, app, id }).toEqual({ priority: '107', time: '2026-03-03T04:05:06.000007Z', host: 'radiology', app: 'wardwire', id: 'store-volume' })
    expect(parseCef(text!).fields.get('externalId')).toBe('a1b2c3')
  })

  test('do hostile names leave the head as it is?', () => {
    const bad = 'a b"]\\\n<13>1 \u202e' + 'x'.repeat(500)
    const [, , , host, , id] = MESSAGE.exec(syslogMessage(makeAlert({ detector: bad }), config, bad))!
    expect(host).toHaveLength(255)
    expect(id).toHaveLength(32)
  })

  test('is a long alert cut to its room, in bytes?', () => {
    const alert = makeAlert({ explanation: 'é'.repeat(5000), title: 'ü'.repeat(900) })
    const message = syslogMessage(alert, config, 'radiology')
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2048)
    expect(message).toContain('externalId=a1b2c3')
  })

  test('is a certificate of another name refused?', async () => {
    const files = tls()
    const receiver = await syslogReceiver(files)
    const sink = new SyslogSink(sinkConfig({ type: 'syslog', host: '127.0.0.1', port: receiver.port, tls: { ca_file: files.caFile } }), 's')
    await expect(sink.send([numbered(1)])).rejects.toThrow(/altnames|certificate/i)
    await sink.close()
    await receiver.remove()
  })
})

describe('Splunk', () => {
  test('is an envelope what the collector reads, and only the indexers\' word an acknowledgement?', async () => {
    const receiver = await splunkReceiver(true)
    const sink = receiver.make()
    const sent = sink.send([makeAlert()], never)
    await until(() => receiver.requests.length > 0)
    expect(receiver.indexed).toEqual([])
    await sent
    expect(ids(receiver.indexed)).toEqual(['a1b2c3'])
    const [post, ask] = receiver.requests
    expect(post).toMatchObject({ path: '/services/collector/event', headers: { authorization: 'Splunk a-token' } })
    expect(JSON.parse(post!.body)).toMatchObject({ time: 1772510711.000007, host: 'radiology', source: 'wardwire', sourcetype: 'wardwire:alert', fields: { alert_id: 'a1b2c3', severity: 'high' }, event: { schema: 'wardwire.alert/1' } })
    expect(ask!.headers['x-splunk-request-channel']).toBe(post!.headers['x-splunk-request-channel'])
    await sink.close()
    await receiver.remove()
  })

  test('does a wrong token make alerts wait, and lose none?', async () => {
    const { listener, url } = await httpServer((_, response) => response.writeHead(403).end('{"text":"Invalid token","code":4}'))
    const token = join(folder(), 'token')
    writeFileSync(token, 'wrong')
    await published(() => new HttpSink(sinkConfig({ type: 'splunk', url, token_file: token }), 's'), async (publisher) => {
      publisher.accept(numbered(1))
      await until(() => publisher.deliveries[0]!.failures > 1)
      expect(publisher.deliveries[0]!.failing).toContain('HTTP 403 {"text":"Invalid token"')
      expect(await publisher.drain(100)).toEqual({ left: 1, lost: 0 })
    })
    await listener.down()
  })

  test('is an index that is not there no reason to drop the alert?', async () => {
    const { listener, url } = await httpServer((_, response) => response.writeHead(400).end('{"text":"Incorrect index","code":7}'))
    const token = join(folder(), 'token')
    writeFileSync(token, 'x')
    const sink = new HttpSink(sinkConfig({ type: 'splunk', url, token_file: token }), 's')
    const refused = await sink.send([numbered(1)], never).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Error)
    expect(refused).not.toBeInstanceOf(Refused)
    await listener.down()
  })
})

describe('webhook', () => {
  test('does a request say in its headers what the alert is?', async () => {
    const receiver = await webhookReceiver()
    const sink = receiver.make()
    await sink.send([makeAlert({ device: { ...makeAlert().device, id: 'dév 1\r\nx: y' } })], never)
    expect(receiver.requests[0]!.headers).toMatchObject({
      'ce-specversion': '1.0', 'ce-id': 'a1b2c3', 'ce-source': '/sensor/radiology', 'ce-type': 'wardwire.alert.v1', 'ce-time': '2026-03-03T04:05:06.000007Z',
      'ce-subject': 'd%C3%A9v%201%0D%0Ax:%20y', 'ce-revision': '2', 'content-type': 'application/json',
    })
    await sink.close()
    await receiver.remove()
  })

  test('is an alert that the receiver will never take passed over, counted and reported, and do the others arrive?', async () => {
    const got: AlertJson[] = []
    const { listener, url } = await httpServer((request, response) => {
      const alert = JSON.parse(request.body) as AlertJson
      if (alert.id === 'id-3') return response.writeHead(422).end('no')
      got.push(alert)
      return response.end()
    })
    await published(() => new HttpSink(sinkConfig({ type: 'webhook', url }), 's'), async (publisher, said) => {
      for (let n = 0; n < 6; n++) publisher.accept(numbered(n))
      await until(() => got.length >= 6)
      expect(await publisher.drain(5000)).toEqual({ left: 0, lost: 0 })
      expect(said).toContain('the-sink refuses alert id-3: HTTP 422 no')
    })
    expect(got.map((a) => a.id).slice(0, 5).concat(got[5]!.detector)).toEqual(['id-0', 'id-1', 'id-2', 'id-4', 'id-5', 'ops.alerts-lost'])
    expect(got[5]).toMatchObject({ count: 1, severity: 'high', title: '1 alerts did not reach the-sink' })
    await listener.down()
  })
})
