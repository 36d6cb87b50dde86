/**
 * PS3.8 section 9.2: two ends that keep to its tables, however their units cross, are never accused; an end that does not, is. The ends here are written from
 * tables 9-6 to 9-10, with states as the standard numbers them; the listener only sees units pass.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AssociationStates } from '../../../protocols/dicom/association.ts'
import { A_ABORT, A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, A_RELEASE_RP, A_RELEASE_RQ, P_DATA_TF } from '../../../protocols/dicom/pdu.ts'
import type { Direction } from '../../../protocols/protocol.ts'

/** What an end may send in a state, and what it becomes: AE-2, AE-7, AE-8, DT-1, AR-1, AR-7, AR-4, AR-9, AA-1. */
const MAY_SEND: Record<number, [unit: number, next: number][]> = {
  2: [[A_ABORT, 13]], 4: [[A_ASSOCIATE_RQ, 5]], 3: [[A_ASSOCIATE_AC, 6], [A_ASSOCIATE_RJ, 13], [A_ABORT, 13]], 5: [[A_ABORT, 13]],
  6: [[P_DATA_TF, 6], [A_RELEASE_RQ, 7], [A_ABORT, 13]], 7: [[A_ABORT, 13]], 8: [[P_DATA_TF, 8], [A_RELEASE_RP, 13], [A_ABORT, 13]],
  9: [[A_RELEASE_RP, 11], [A_ABORT, 13]], 10: [[A_ABORT, 13]], 11: [[A_ABORT, 13]], 12: [[A_RELEASE_RP, 13], [A_ABORT, 13]], 13: [[A_ABORT, 13]],
}

/** AE-3, AE-4, AE-6, DT-2, AR-2, AR-3, AR-6, AR-8, AR-10, AA-3. In Sta13 whatever comes is ignored. */
function received(state: number, unit: number, isRequestor: boolean): number {
  if (unit === A_ABORT) return 1
  switch (`${state} ${unit}`) {
    case `2 ${A_ASSOCIATE_RQ}`: return 3
    case `5 ${A_ASSOCIATE_AC}`: return 6
    case `5 ${A_ASSOCIATE_RJ}`: return 1
    case `6 ${A_RELEASE_RQ}`: return 8
    case `7 ${A_RELEASE_RQ}`: return isRequestor ? 9 : 10
    case `7 ${A_RELEASE_RP}`: return 1
    case `10 ${A_RELEASE_RP}`: return 12
    case `11 ${A_RELEASE_RP}`: return 1
    default: return state
  }
}

class End {
  state: number
  /** Before each unit that changed it and that may still have been on its way, for all a listener knows. */
  before: number[] = []
  readonly inbox: number[] = []
  readonly isRequestor: boolean
  constructor(isRequestor: boolean) {
    this.isRequestor = isRequestor
    this.state = isRequestor ? 4 : 2
  }
}

interface Report { type: number; state: number }

/** Both ends and a listener beside one of them: of its own end it sees units when they are sent, of the other when they arrive. */
class Line {
  readonly ends = [new End(true), new End(false)] as const
  readonly reports: Report[] = []
  readonly #states = new AssociationStates((_offset, type, state) => this.reports.push({ type, state }))
  readonly #beside: Direction
  #at = 0
  constructor(beside: Direction) {
    this.#beside = beside
  }

  send(from: Direction, unit: number): void {
    this.ends[from === 0 ? 1 : 0].inbox.push(unit)
    if (from === this.#beside) this.#seen(from, unit)
  }

  receive(by: Direction): void {
    const end = this.ends[by]
    const unit = end.inbox.shift()!
    if (by === this.#beside) this.#seen(by === 0 ? 1 : 0, unit)
    if (end.state === 1 || end.state === 13) return
    const next = received(end.state, unit, end.isRequestor)
    if (next !== end.state) end.before.push(end.state)
    end.state = next
  }

  #seen(from: Direction, unit: number): void {
    this.#at += 1000
    this.#states.unit(from, unit, 0, this.#at)
  }

  /** An association that both have agreed to. */
  opened(): void {
    for (const [by, unit, state] of [[0, A_ASSOCIATE_RQ, 5], [1, A_ASSOCIATE_AC, 6]] as const) {
      this.ends[by].state = state
      this.send(by, unit)
      this.receive(by === 0 ? 1 : 0)
    }
  }

  over(): Report[] {
    this.#states.begin(this.#at)
    return this.reports
  }

  /** One step of a play: an end reads what came, or sends something it may. Of aborts there are few, so that associations live. */
  step(choice: number): void {
    const direction: Direction = choice & 1 ? 1 : 0
    const end = this.ends[direction]
    if ((choice & 2) !== 0 && end.inbox.length > 0) return this.receive(direction)
    const may = (MAY_SEND[end.state] ?? []).filter(([unit]) => unit !== A_ABORT || choice % 17 === 0)
    const pick = may[(choice >> 2) % Math.max(1, may.length)]
    if (pick === undefined) return
    if (pick[1] !== end.state) end.before = []
    end.state = pick[1]
    this.send(direction, pick[0])
  }
}

const plays = fc.tuple(fc.constantFrom<Direction>(0, 1), fc.boolean(), fc.array(fc.nat(1023), { maxLength: 60 }))

function play([beside, isOpened, choices]: [Direction, boolean, number[]], meanwhile: (line: Line) => void = () => undefined): Line {
  const line = new Line(beside)
  if (isOpened) line.opened()
  for (const choice of choices) {
    line.step(choice)
    meanwhile(line)
  }
  return line
}

const UNITS = [A_ASSOCIATE_RQ, A_ASSOCIATE_AC, A_ASSOCIATE_RJ, P_DATA_TF, A_RELEASE_RQ, A_RELEASE_RP, A_ABORT]

describe('the states of both ends', () => {
  test('are two ends that keep to the tables never accused, whatever crosses?', () => {
    const reached = new Set<number>()
    fc.assert(fc.property(plays, (of) => {
      const line = play(of, ({ ends }) => { for (const { state } of ends) reached.add(state) })
      expect(line.over()).toEqual([])
    }), { numRuns: 6000 })
    // The plays came everywhere, through both kinds of release collision too.
    expect([...reached].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  })

  test('is a unit that its sender must not send in its state reported, with that state?', () => {
    const tried = new Set<string>()
    fc.assert(fc.property(plays, fc.constantFrom(...UNITS), (of, unit) => {
      const [beside] = of
      const line = play(of)
      const end = line.ends[beside]
      const may = (state: number): boolean => (MAY_SEND[state] ?? []).some(([allowed]) => allowed === unit)
      fc.pre(end.state !== 1 && end.state !== 13 && !may(end.state) && !end.before.some(may))
      tried.add(`${end.state} ${unit}`)
      line.send(beside, unit)
      expect(line.over()).toEqual([{ type: unit, state: end.state }])
    }), { numRuns: 6000 })
    expect(tried.size).toBeGreaterThan(30)
  })
})
