/** The special functions and the tails against values made elsewhere at 120 digits (vectors/make.py says how and by what). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as distributions from '../../../models/baseline/distributions.ts'
import * as special from '../../../models/baseline/special.ts'

interface Row {
  fn: string
  args: (number | 'Infinity')[]
  value: number
}

/** What is asked is 1e-9; what is reached, and so kept, is this. */
const ACCURACY = 1e-12

function rowsBy(key: (row: Row) => string, file: string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of (JSON.parse(readFileSync(new URL(`./vectors/${file}.json`, import.meta.url), 'utf8')) as { rows: Row[] }).rows) {
    const group = groups.get(key(row))
    if (group === undefined) groups.set(key(row), [row])
    else group.push(row)
  }
  return groups
}

/**
 * The relative error of a value. For the logarithm of a probability from e^-690 to e^-1, that of the probability (the difference of the
 * logarithms); nearer to 1, that of the logarithm, so that the small rest 1 - p is held to the same accuracy.
 */
function error(fn: string, got: number, want: number): number {
  if (got === want) return 0
  const isTail = fn.startsWith('log') && fn !== 'logGamma'
  return Math.abs(got - want) / (isTail && want > -690 && want < -1 ? 1 : Math.abs(want))
}

for (const [file, module] of [['special', special], ['distributions', distributions]] as const) {
  describe(`does ${file}.ts agree with the reference to ${ACCURACY}?`, () => {
    for (const [fn, rows] of rowsBy((row) => row.fn, file)) {
      it(`${fn}, ${rows.length} values`, () => {
        const call = module[fn as keyof typeof module] as (...args: number[]) => number
        for (const row of rows) {
          const got = call(...row.args.map(Number))
          expect(error(fn, got, row.value), `${fn}(${row.args.join(', ')}) is ${got}, not ${row.value}`).toBeLessThan(ACCURACY)
        }
      })
    }
  })
}

describe('is the tail of a sum of log-normal sizes within a factor of 2 of the drawn one?', () => {
  for (const [key, rows] of rowsBy((row) => `${row.args[1]} sizes, sigma ${row.args[3]}`, 'sums')) {
    it(key, () => {
      for (const row of rows) {
        const [x, n, mu, sigma] = row.args.map(Number)
        const ratio = distributions.logNormalSumUpperTail(x!, n!, mu!, sigma!) / row.value
        expect(Math.abs(Math.log2(ratio)), `P(S >= ${x}) is ${row.value}, answered ${ratio} of it`).toBeLessThan(1)
      }
    })
  }
})
