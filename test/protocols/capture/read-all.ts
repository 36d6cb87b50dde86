/** Everything a reader finds in some bytes, as values that can be compared. */
import { CaptureReader, END, FRAME, type CaptureProblem } from '../../../protocols/capture/reader.ts'

export interface SeenFrame { hex: string; wireLength: number; at: number; linkType: number; interfaceId: number }

/** @param cuts sizes of the chunks, used over and over */
export function readAll(file: Uint8Array, cuts: readonly number[] = [file.length || 1]): { frames: SeenFrame[]; problem: CaptureProblem | null } {
  const reader = new CaptureReader(Math.max(...cuts))
  const frames: SeenFrame[] = []
  let position = 0
  for (let turn = 0; ;) {
    const step = reader.next()
    if (step === END) return { frames, problem: reader.problem }
    if (step === FRAME) {
      const { bytes, start, end, wireLength, at, linkType, interfaceId } = reader
      frames.push({ hex: Buffer.from(bytes.subarray(start, end)).toString('hex'), wireLength, at, linkType, interfaceId })
      continue
    }
    const chunk = file.subarray(position, position + cuts[turn++ % cuts.length]!)
    position += chunk.length
    if (chunk.length === 0) reader.finish()
    else {
      reader.space().set(chunk)
      reader.filled(chunk.length)
    }
  }
}
