/** `wardwire watch` killed at random moments and started again (R13, R20): what was accepted, and what arrived. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { jsonLines } from './program.ts'
import { Service, lines } from './service.ts'

export interface Killed {
  /** Ids of alerts that a life told of, and no life delivered. */
  missing: string[]
  /** Ids of alerts that rest on a conversation that the capture has not. */
  invented: string[]
  delivered: number
  /** Lines beyond the first of an id and revision. */
  repeats: number
}

/**
 * Feeds a capture to one life after the other, each killed while it reads; the last one reads to the end.
 * @param folder empty
 * @param conversations Community IDs of the capture
 */
export async function killed(folder: string, capture: Uint8Array, conversations: ReadonlySet<string>, kills: number): Promise<Killed> {
  const at = (name: string): string => join(folder, name)
  writeFileSync(at('kill.yaml'), `service: { checkpoint_seconds: 0.2 }\nsinks: [{ type: jsonl, path: ${at('delivered.jsonl')} }]`)
  const start = (): Service => new Service(['watch', '-', '--state', at('state'), '--publish', '--config', at('kill.yaml'), '--alerts', at('accepted.jsonl')], { env: { XDG_STATE_HOME: folder } })
  for (let kill = 0; kill < kills; kill++) {
    const service = start()
    const feeding = service.feed(capture)
    await service.says('capturing from')
    await pause(Math.random() * 1200)
    const { signal } = await service.stop('SIGKILL')
    if (signal !== 'SIGKILL') throw new Error(`it ended by itself:\n${service.stderr}`)
    await feeding
  }
  const last = start()
  await last.feed(capture)
  last.child.stdin!.end()
  const { code } = await last.ended
  if (code !== 0 || last.stderr.includes('"level":"error"')) throw new Error(`exit code ${code}:\n${last.stderr}`)

  const delivered = lines(at('delivered.jsonl'))
  const ids = new Set(delivered.map((a) => a['id'] as string))
  const revisions = new Set(delivered.map((a) => `${a['id'] as string} ${a['revision'] as number}`))
  return {
    missing: lines(at('accepted.jsonl')).map((a) => a['id'] as string).filter((id) => !ids.has(id)),
    invented: delivered.filter((a) => !(a['detector'] as string).startsWith('ops.') && !(a['flows'] as string[]).every((flow) => conversations.has(flow))).map((a) => a['id'] as string),
    delivered: ids.size,
    repeats: delivered.length - revisions.size,
  }
}

/** Community IDs in a file of events. */
export const conversationsIn = (text: string): Set<string> =>
  new Set(jsonLines(text).flatMap((e) => (e['flow'] as { community_id?: string } | undefined)?.community_id ?? []))
