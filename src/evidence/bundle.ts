/**
 * An archive for hand-over: of each alert the alert, its events, its packets and the baseline it was judged by, and the SHA-256 of each
 * file. Made in a private folder, then packed; the only home of `tar`.
 *
 *     README.txt  SHA256SUMS  ID/alert.json  ID/events.jsonl  ID/packets-raw-patient-data.pcap  ID/baseline.json
 */
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from 'tar'
import type { Alert } from '../../models/alert.ts'
import { Engine } from '../../models/engine.ts'
import { rfc3339 } from '../../protocols/time.ts'
import { UserError, reason } from '../errors.ts'
import { eventJson } from '../sinks/event-json.ts'
import { nativeAlert } from '../sinks/formats/native.ts'
import type { CaptureProblem } from '../sources/captures.ts'
import { privateFile } from '../store/private-file.ts'
import { VERSION } from '../version.ts'
import { slice } from './slice.ts'

export interface BundleOptions {
  captures: readonly string[]
  out: string
  communityIdSeed: number
  siteKey: Uint8Array
  /** What was learned (`State.model`), for the baseline's numbers. */
  learned: Iterable<[string, unknown]> | undefined
}

export interface BundleResult {
  files: number
  bytes: number
  sha256: string
  problems: CaptureProblem[]
}

/** @throws {UserError} when a capture has nothing of an alert, or the archive can't be written */
export async function bundle(alerts: readonly Alert[], options: BundleOptions): Promise<BundleResult> {
  const folder = mkdtempSync(join(tmpdir(), 'wardwire-evidence-'))
  const problems: CaptureProblem[] = []
  const files: string[] = []
  const learned = options.learned === undefined ? undefined : [...options.learned]
  try {
    for (const alert of alerts) {
      const { id } = alert
      const at = folderName(id)
      mkdirSync(join(folder, at))
      writeFileSync(join(folder, at, 'alert.json'), `${JSON.stringify(JSON.parse(nativeAlert(alert)), null, 2)}\n`)
      const events: string[] = []
      const packets = `${at}/packets-raw-patient-data.pcap`
      const cut = await slice(options.captures, alert, join(folder, packets), {
        communityIdSeed: options.communityIdSeed, siteKey: options.siteKey, onEvent: (event) => events.push(eventJson(event)),
      })
      problems.push(...cut.problems)
      writeFileSync(join(folder, at, 'events.jsonl'), events.map((line) => `${line}\n`).join(''))
      writeFileSync(join(folder, at, 'baseline.json'), `${JSON.stringify(baselineOf(alert, learned), null, 2)}\n`)
      files.push(`${at}/alert.json`, `${at}/events.jsonl`, `${at}/baseline.json`, packets)
    }
    writeFileSync(join(folder, 'README.txt'), readme(alerts, options.captures))
    files.push('README.txt')
    const sums = await Promise.all(files.map(async (file) => `${await sha256(join(folder, file))}  ${file}\n`))
    writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''))
    files.push('SHA256SUMS')
    // The same alerts and captures give the same archive: no owner, and capture time for the files.
    // Closed to others before the first packet is in it.
    privateFile(options.out)
    await create({ gzip: true, cwd: folder, file: options.out, portable: true, mtime: new Date(Math.max(...alerts.map((a) => a.last_seen)) / 1000) }, files.sort())
    return { files: files.length, bytes: statSync(options.out).size, sha256: await sha256(options.out), problems }
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`cannot write ${options.out}: ${reason(error)}`, 1)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Ids are the engine's, but the file they came from is anybody's. */
const folderName = (id: string): string => id.replace(/[^\w-]/g, '_').slice(0, 64) || '_'

/** What the device was measured by: as the alert says, and as the state has it now. */
function baselineOf(alert: Alert, learned: [string, unknown][] | undefined): object {
  const at_alert = alert.baseline
  if (learned === undefined) return { at_alert, note: 'without --state the numbers of the baseline are those of the alert and its evidence' }
  const engine = new Engine({ onAlert: () => {} })
  engine.load(learned)
  const ids = new Set([alert.device.id, ...alert.peers.map((p) => p.id)])
  return {
    at_alert,
    devices: [...engine.view()].filter((d) => ids.has(d.id)).map((d) => ({
      ...d, first: rfc3339(d.first), last: rfc3339(d.last), addresses: d.addresses.map((a) => ({ ...a, first: rfc3339(a.first), last: rfc3339(a.last) })),
    })),
    readings: Object.fromEntries([...engine.readings()].filter(([id]) => ids.has(id))),
    stored: Object.fromEntries(learned.filter(([name]) => ids.has(name.replace(/^device\//, '')))),
  }
}

const readme = (alerts: readonly Alert[], captures: readonly string[]): string => [
  `Evidence of ${alerts.length === 1 ? 'one alert' : `${alerts.length} alerts`}, gathered by wardwire ${VERSION}.`, '',
  'THIS ARCHIVE HOLDS PATIENT DATA. The files packets-raw-patient-data.pcap are the network packets as they were captured: names, dates of',
  'birth, images and reports in clear. Handle it as a patient record: encrypted, to named persons, with a date of deletion. The other files',
  'hold pseudonyms only.', '',
  ...alerts.flatMap((a) => [`${a.id}  ${a.severity}  ${rfc3339(a.first_seen)} to ${rfc3339(a.last_seen)}`]), '',
  `Cut from: ${captures.map((path) => path.replace(/[\u0000-\u001f\u007f]/g, '?')).join(', ')}`, '',
  'alert.json      the alert, wardwire.alert/1', 'events.jsonl    what was decoded of its conversations', 'baseline.json   the numbers it was judged by',
  'packets-...     whole conversations; opens in Wireshark', 'SHA256SUMS      check with: sha256sum -c SHA256SUMS', '',
].join('\n')

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
