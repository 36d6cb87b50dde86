import { describe, expect, test } from 'vitest'
import { Random } from '../../../fixtures/build/random.ts'
import { Conversation } from '../../../protocols/tcp/conversation.ts'
import { Timers } from '../../../protocols/tcp/timers.ts'

const conversation = (serial: number): Conversation => new Conversation(serial, serial, true, true, false, 0, [])

describe('timers', () => {
  test('do they come in the order of their times, and of beginning where those are equal?', () => {
    const random = new Random('timers')
    const timers = new Timers()
    const wanted: [number, number][] = []
    for (let serial = 0; serial < 500; serial++) {
      const due = (random.bits() >>> 0) % 50
      wanted.push([due, serial])
      timers.add(conversation(serial), due)
    }
    wanted.sort((a, b) => a[0] - b[0] || a[1] - b[1])
    const got: [number, number][] = []
    while (timers.size > 0) got.push([timers.next, timers.shift().serial])
    expect(got).toEqual(wanted)
    expect(timers.next).toBe(Infinity)
  })

  test('are those of ended conversations dropped?', () => {
    const timers = new Timers()
    for (let serial = 0; serial < 10; serial++) {
      const one = conversation(serial)
      one.isOver = serial % 2 === 0
      timers.add(one, 100 - serial)
    }
    timers.prune()
    expect(Array.from({ length: timers.size }, () => timers.shift().serial)).toEqual([9, 7, 5, 3, 1])
  })
})
