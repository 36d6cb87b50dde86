import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Phi, Pseudonyms } from '../../protocols/phi.ts'

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)

describe('pseudonyms', () => {
  test('is a person the same person however the id is padded or spelled in case?', () => {
    const names = new Pseudonyms(key(1))
    expect(names.patient(' pid00123 ')).toBe(names.patient('PID00123'))
    expect(names.patient('PID00123')).not.toBe(names.patient('PID00124'))
  })

  test('does a patient never equal an order of the same text?', () => {
    const names = new Pseudonyms(key(1))
    expect(names.patient('4711')).not.toBe(names.order('4711'))
  })

  test('does another key give other pseudonyms, and the same key the same?', () => {
    expect(new Pseudonyms(key(1)).patient('A')).toBe(new Pseudonyms(key(1)).patient('A'))
    expect(new Pseudonyms(key(1)).patient('A')).not.toBe(new Pseudonyms(key(2)).patient('A'))
  })

  test('do the 80 bits of the hash all reach the text?', () => {
    const names = new Pseudonyms(key(3))
    const positions = Array.from({ length: 16 }, () => new Set<string>())
    for (let i = 0; i < 2000; i++) {
      const name = names.patient(`P${i}`)!
      expect(name).toMatch(/^[0-9a-v]{16}$/)
      positions.forEach((seen, at) => seen.add(name[at]!))
    }
    for (const seen of positions) expect(seen.size).toBe(32)
  })

  test('is it HMAC-SHA-256, for short and long keys and values, in any script?', () => {
    for (const [secret, value] of [[key(9), 'P1'], [new Uint8Array(100).fill(5), 'P1'], [key(9), 'Ä漢字'.repeat(20)], [key(9), 'X'.repeat(4000)]] as const) {
      const mac = createHmac('sha256', secret).update('patient\0').update(value).digest()
      const bits = [...mac.subarray(0, 10)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
      const expected = bits.match(/.{5}/g)!.map((five) => '0123456789abcdefghijklmnopqrstuv'[Number.parseInt(five, 2)]).join('')
      expect(new Pseudonyms(secret).digest('patient', value)).toBe(expected)
    }
  })

  test('is it so for every length that fits the blocks differently, and on the bytes as on the text?', () => {
    const names = new Pseudonyms(key(9))
    for (let length = 1; length <= 250; length++) {
      const value = 'A7'.repeat(125).slice(0, length)
      const bits = BigInt(`0x${createHmac('sha256', key(9)).update(`order\0${value}`).digest('hex').slice(0, 20)}`)
      const expected = bits.toString(32).padStart(16, '0')
      expect(names.digest('order', value)).toBe(expected)
      const bytes = Buffer.from(`|| ${value.toLowerCase()}\t|`)
      expect(names.makeOfBytes('order', bytes, 2, bytes.length - 1)).toBe(expected)
    }
    expect(names.makeOfBytes('order', Buffer.from(' \t '), 0, 3)).toBeNull()
  })

  test('are plain values remembered where a reader asked for them, also of bytes?', () => {
    const names = new Pseudonyms(key(9), { remember: true })
    expect(names.plain(names.makeOfBytes('patient', Buffer.from('^ p1 ^'), 1, 5)!)?.reveal()).toBe('p1')
  })

  test('is no id no person?', () => {
    expect(new Pseudonyms(key(1)).patient('   ')).toBeNull()
  })

  test('is a weak key refused?', () => {
    expect(() => new Pseudonyms(new Uint8Array(8))).toThrow(/at least 16 bytes/)
  })
})

describe('Phi', () => {
  test('does any accidental string form show the value?', () => {
    const phi = new Phi('DOE^JANE')
    // As careless code would: the types forbid it, the value has to stand it.
    const careless = phi as unknown as string
    const forms = [String(phi), `${careless}`, JSON.stringify({ phi }), inspect(phi), inspect({ deep: [phi] }), careless + '']
    for (const form of forms) expect(form).not.toContain('DOE')
    expect(phi.reveal()).toBe('DOE^JANE')
  })
})
