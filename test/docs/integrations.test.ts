/** Do the examples of docs/integrations work as they are written? Only hosts and files are put in place of those of the example. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { describe, expect, test } from 'vitest'
import { loadConfig, type Config } from '../../src/config.ts'
import { Publisher, sinkMakers } from '../../src/sinks/publisher.ts'
import { State } from '../../src/store/state.ts'
import { makeAlert } from '../src/alert.ts'
import { until } from '../src/sinks/contract.ts'
import { parseCef } from '../src/sinks/formats/cef.ts'
import { folder, httpServer, splunkReceiver, syslogReceiver } from '../src/sinks/receivers.ts'
import { cert, key } from '../protocols/tls/certificate.ts'
import { blocks } from './blocks.ts'

const place = folder()
const file = (name: string, text: string): string => {
  writeFileSync(join(place, name), text)
  return join(place, name)
}

/** The configuration of the example, with changes to its first sink. */
function configOf(page: string, change: Record<string, unknown>, block = 0): Config {
  const example = parse(blocks(page, 'yaml')[block]!) as { sinks: Record<string, unknown>[] }
  Object.assign(example.sinks[0]!, change)
  return loadConfig(file(`${page}.yaml`, stringify(example)))
}

/** Publishes one alert by a configuration; it must leave. */
async function publish(config: Config): Promise<void> {
  const state = State.temporary()
  const publisher = new Publisher(state, sinkMakers(config.sinks, undefined, config.sensor), config, (line) => { throw new Error(line) })
  publisher.accept(makeAlert())
  expect(await publisher.drain(10_000)).toEqual({ left: 0, lost: 0 })
  await state.close()
}

describe('the pages', () => {
  test('is every configuration in them valid as it stands?', () => {
    for (const page of readdirSync(join(import.meta.dirname, '../../docs/integrations'))) {
      for (const block of blocks(page, 'yaml').filter((text) => !text.startsWith('filebeat'))) {
        expect(() => loadConfig(file('example.yaml', block)), page).not.toThrow()
      }
    }
  })
})

describe('Elastic', () => {
  test('does Elasticsearch get one ECS document, with the key that the file holds?', async () => {
    const { listener, url, requests } = await httpServer((_, response) => response.writeHead(201).end('{"result":"created"}'))
    await publish(configOf('elastic.md', { url: `${url}/wardwire-alerts/_doc`, authorization_file: file('key', 'ApiKey abc=\n') }))
    await listener.down()
    expect(requests).toHaveLength(1)
    expect(requests[0]).toMatchObject({ path: '/wardwire-alerts/_doc', headers: { authorization: 'ApiKey abc=', 'content-type': 'application/json' } })
    expect(JSON.parse(requests[0]!.body)).toMatchObject({ ecs: { version: '8.17.0' }, event: { id: 'a1b2c3', kind: 'alert' }, source: { ip: '10.1.2.3' } })
  })

  test('does the file that Filebeat reads hold one document a line, under the path it watches?', async () => {
    const [, sink, filebeat] = blocks('elastic.md', 'yaml')
    const path = (parse(sink!) as { sinks: { path: string }[] }).sinks[0]!.path
    expect((parse(filebeat!) as { 'filebeat.inputs': { paths: string[] }[] })['filebeat.inputs'][0]!.paths).toEqual([path])
    const here = join(place, 'alerts.ndjson')
    await publish(configOf('elastic.md', { path: here }, 1))
    expect(JSON.parse(readFileSync(here, 'utf8'))).toMatchObject({ '@timestamp': '2026-03-03T04:05:11.000007Z' })
  })
})

describe('Splunk', () => {
  test('does the collector get the envelope, and the alert leave when it is indexed?', async () => {
    const receiver = await splunkReceiver(true)
    await publish(configOf('splunk.md', { url: receiver.url, token_file: file('token', 'a-token\n') }))
    await receiver.remove()
    expect(receiver.indexed).toMatchObject([{ id: 'a1b2c3' }])
    expect(JSON.parse(receiver.requests[0]!.body)).toMatchObject({ index: 'security', sourcetype: 'wardwire:alert', fields: { alert_id: 'a1b2c3' } })
  })
})

describe('syslog', () => {
  test('does the SIEM get one CEF message over TLS?', async () => {
    const caFile = file('ca.pem', cert)
    const receiver = await syslogReceiver({ key, cert, caFile })
    await publish(configOf('syslog-cef.md', { host: '127.0.0.1', port: receiver.port, tls: { ca_file: caFile, server_name: 'pacs.example' } }))
    await until(() => receiver.messages.length === 1)
    await receiver.remove()
    const cef = receiver.messages[0]!.slice(receiver.messages[0]!.indexOf('CEF:'))
    expect(parseCef(cef).fields.get('externalId')).toBe('a1b2c3')
  })
})
