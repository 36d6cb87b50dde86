/** Is what we publish about our output true of our output? */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Alert } from '../../models/alert.ts'
import type { Flow, WireEvent } from '../../protocols/events.ts'
import { eventJson, readEvents, type AlertJson, type EventJson } from '../../src/api.ts'
import { publishedSchemas } from '../../src/schema.ts'
import { cloudEventHeaders } from '../../src/sinks/cloudevents.ts'
import { markHeaders } from '../../src/sinks/event-mark.ts'
import { nativeAlert } from '../../src/sinks/formats/native.ts'
import { groupNames, topics } from '../../src/sinks/kafka-client.ts'
import { alertMessage } from '../../src/sinks/kafka.ts'
import { makeAlert, numbered } from './alert.ts'

const root = join(import.meta.dirname, '..', '..')
const docs = join(root, 'docs')
const read = (path: string): unknown => JSON.parse(readFileSync(join(docs, path), 'utf8'))

// The types of the published JSON are those of the models and protocols, but for times, which are text. When one changes and the other does not, this
// file does not compile.
type TimeKey = 'raised_at' | 'first_seen' | 'last_seen' | 'at' | 'started' | 'ended_at'
type Published<T> =
  T extends Flow ? Omit<{ [K in keyof T]: Published<T[K]> }, 'transport'>
    : T extends string | number | boolean | null ? (T extends string ? (string extends T ? string : T extends { readonly __pseudonym: symbol } ? string : T) : T)
      : T extends readonly (infer E)[] ? Published<E>[]
        : { -readonly [K in keyof T]: K extends TimeKey ? string : Published<T[K]> }
type Same<A, B> = [A] extends [B] ? [B] extends [A] ? true : false : false
const alertTypesAgree: Same<Published<Alert>, AlertJson> = true
const eventTypesAgree: Same<Published<WireEvent> & { v: 1 }, EventJson> = true

describe('JSON Schema', () => {
  test.each(Object.keys(publishedSchemas()) as (keyof ReturnType<typeof publishedSchemas>)[])('is docs/schema/%s.json what the code says?', async (name) => {
    await expect(`${JSON.stringify(publishedSchemas()[name], null, 2)}\n`).toMatchFileSnapshot(join(docs, 'schema', `${name}.json`))
    expect(alertTypesAgree && eventTypesAgree).toBe(true)
  })

  test('does the file of the alert accept alerts, and nothing else?', () => {
    const schema = z.fromJSONSchema(read('schema/alert.v1.json') as z.core.JSONSchema.JSONSchema)
    const alert = JSON.parse(nativeAlert(makeAlert())) as Record<string, unknown>
    expect(schema.safeParse(alert).success).toBe(true)
    expect(schema.safeParse(JSON.parse(nativeAlert(numbered(1, 'info')))).success).toBe(true)
    expect(schema.safeParse({ ...alert, a_later_field: 1 }).success).toBe(true)
    for (const name of Object.keys(alert)) {
      const { [name]: _, ...without } = alert
      expect({ name, accepted: schema.safeParse(without).success }).toEqual({ name, accepted: false })
    }
    expect(schema.safeParse({ ...alert, severity: 'huge' }).success).toBe(false)
    expect(schema.safeParse({ ...alert, raised_at: 1772510706000007 }).success).toBe(false)
  })

  test('does the file of the event accept every event of our captures?', async () => {
    const schema = z.fromJSONSchema(read('schema/event.v1.json') as z.core.JSONSchema.JSONSchema)
    const kinds = new Set<string>()
    for (const path of captures()) {
      for await (const event of readEvents([path], { siteKey: Buffer.alloc(32, 1), onProblem: () => {} })) {
        const json = JSON.parse(eventJson(event)) as EventJson
        const result = schema.safeParse(json)
        expect({ path, json, error: result.error?.issues }).toEqual({ path, json, error: undefined })
        kinds.add(json.kind)
      }
    }
    expect(kinds).toContain('flow')
    expect(kinds).toContain('capture')
  })
})

/** The small captures that are shipped. */
function captures(): string[] {
  return ['lab', 'cases'].flatMap((name) => {
    const folder = join(root, 'fixtures', name)
    if (!existsSync(folder)) return []
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.pcap(ng)?$/.test(file)).map((file) => join(folder, file))
  })
}

describe('AsyncAPI', () => {
  interface Document {
    channels: Record<string, { address: string }>
    components: { messages: Record<string, { name: string; contentType: string; headers: { required: string[]; properties: Record<string, { const?: string; pattern?: string }> }; payload: { $ref: string }; bindings: { kafka: { key: object } } }> }
  }
  const document = parse(readFileSync(join(docs, 'asyncapi.yaml'), 'utf8')) as Document

  test('are its channels our topics?', () => {
    expect(Object.fromEntries(Object.entries(document.channels).map(([name, { address }]) => [name, address])))
      .toEqual({ ...topics('wardwire'), changelog: groupNames('wardwire', 'detect').changelog })
  })

  test('are its headers, key and type those of a message?', () => {
    const message = document.components.messages['alert']!
    const { headers, key } = alertMessage(makeAlert())
    expect([...message.headers.required].sort()).toEqual(Object.keys(headers!).sort())
    expect(Object.keys(message.headers.properties)).toEqual(message.headers.required)
    for (const [name, schema] of Object.entries(message.headers.properties)) {
      const value = cloudEventHeaders(makeAlert(), 'ce_')[name]!
      if (schema.const !== undefined) expect(value).toBe(schema.const)
      if (schema.pattern !== undefined) expect(value).toMatch(new RegExp(schema.pattern))
    }
    expect(message.name).toBe(headers!['ce_type'])
    expect(key).toBe(makeAlert().device.id)
    expect(existsSync(join(docs, message.payload.$ref))).toBe(true)
  })

  test('are the headers of an event those of its message?', () => {
    const { headers, name } = document.components.messages['event']!
    const given = markHeaders({ sensor: 'radiology', source: 'replay', stream: '0ab', n: 7 })
    expect(headers.required).toEqual(Object.keys(given))
    expect(Object.keys(headers.properties)).toEqual(headers.required)
    for (const [header, schema] of Object.entries(headers.properties)) {
      if (schema.const !== undefined) expect(given[header]).toBe(schema.const)
      if (schema.pattern !== undefined) expect(given[header]).toMatch(new RegExp(schema.pattern))
    }
    expect(name).toBe(given['ce_type'])
  })

  test('does every reference lead somewhere?', () => {
    const text = readFileSync(join(docs, 'asyncapi.yaml'), 'utf8')
    for (const [, path] of text.matchAll(/\$ref: '#\/([^']+)'/g)) {
      const target = path!.split('/').reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document)
      expect({ path, found: target !== undefined }).toEqual({ path, found: true })
    }
  })
})
