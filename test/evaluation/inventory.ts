/**
 * How well inventory and segments agree with the truth of a labelled run.
 *
 *     wardwire replay RUN/pcap/*.pcap --calendar RUN/calendar.json --alerts /dev/null --inventory inventory.json --segments segments.json
 *     npx tsx test/evaluation/inventory.ts RUN/inventory.json inventory.json segments.json [more of the three]
 *
 * Precision: of what was claimed, how much is right; recall: of what there was to tell, how much was told right. A host that said nothing in the
 * capture (its address is in no device) counts against recall. Several runs are added up.
 */
import { readFileSync } from 'node:fs'
import type { InventoryItem } from '../../models/posture/inventory.ts'
import type { SegmentAudit } from '../../models/posture/segments.ts'

interface Truth {
  devices: { id: string; role: string; segment: string; os_key: string; os_eol: boolean; left: number | null; hostile: boolean; addresses: { ip: string }[] }[]
}

const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

/** Roles of the truth, as ours are called. */
const ROLES: Record<string, string[]> = {
  archive: ['archive'], ris: ['ris'], engine: ['engine'], workstation: ['workstation'], monitor: ['monitor'], gateway: ['gateway'], burner: ['sink'],
  his: ['hl7-source', 'hl7-receiver', 'engine'],
}
/** IT hosts have no role in the clinical traffic. */
const OTHERS = new Set(['desktop', 'it-server', 'internet', 'teleradiology'])
const FAMILIES: Record<string, string> = { linux5: 'linux-5', 'linux2.6': 'linux-2.6', win10: 'windows-10', win7: 'windows-7', winxp: 'windows-xp', embedded: 'embedded' }

class Tally {
  right = 0
  claimed = 0
  there = 0
  readonly wrong: string[] = []

  add(id: string, expected: string[] | null, told: string | null): void {
    if (expected !== null) this.there += 1
    if (told !== null) this.claimed += 1
    if (expected !== null && told !== null && expected.includes(told)) this.right += 1
    else if (expected !== null || told !== null) this.wrong.push(`${id}: ${told ?? 'nothing'} for ${expected?.join(' or ') ?? 'nothing'}`)
  }

  line(name: string): string {
    const share = (n: number, of: number): string => `${n} of ${of} (${of === 0 ? '–' : `${(100 * n / of).toFixed(1)} %`})`
    return `| ${name} | ${share(this.right, this.there)} | ${share(this.right, this.claimed)} |`
  }
}

const tallies = { role: new Tally(), 'OS family': new Tally(), 'past end of life': new Tally(), 'segment kind': new Tally() }

function judge({ devices }: Truth, { devices: items }: { devices: InventoryItem[] }, { segments }: SegmentAudit): void {
  const byIp = new Map(items.flatMap((item) => item.addresses.map(({ ip }) => [ip, item] as const)))
  const users = new Map<string, number>()
  for (const { addresses } of devices) for (const ip of new Set(addresses.map((a) => a.ip))) users.set(ip, (users.get(ip) ?? 0) + 1)
  const kinds = new Map<string, Set<boolean>>()
  for (const device of devices) {
    if (device.hostile) continue
    const { ip } = device.addresses.at(-1)!
    const isOutside = device.segment === 'public'
    if (!isOutside && device.left === null) {
      const net = `${ip.split('.').slice(0, 3).join('.')}.0/24`
      kinds.set(net, (kinds.get(net) ?? new Set()).add(!OTHERS.has(device.role)))
    }
    // Hosts behind one address can't be told apart by it; the Internet's are nobody's inventory.
    if (isOutside || (users.get(ip) ?? 0) > 1) continue
    const item = byIp.get(ip)
    const expected = OTHERS.has(device.role) ? null : ROLES[device.role] ?? [`modality:${device.role}`]
    tallies.role.add(device.id, expected, item === undefined || item.role === 'unknown' ? null : item.role)
    tallies['OS family'].add(device.id, [FAMILIES[device.os_key]!], item?.system?.family ?? null)
    tallies['past end of life'].add(device.id, device.os_eol ? ['past'] : null, item?.system?.past_end_of_life === true ? 'past' : null)
  }
  for (const [net, is] of kinds) {
    const expected = is.size > 1 ? 'mixed' : is.has(true) ? 'medical' : 'other'
    tallies['segment kind'].add(net, [expected], segments.find((s) => s.subnet === net)?.kind ?? null)
  }
}

const paths = process.argv.slice(2)
for (let i = 0; i + 2 < paths.length; i += 3) judge(read(paths[i]!) as Truth, read(paths[i + 1]!) as { devices: InventoryItem[] }, read(paths[i + 2]!) as SegmentAudit)
process.stdout.write('| what | recall | precision |\n| --- | ---: | ---: |\n')
for (const [name, tally] of Object.entries(tallies)) process.stdout.write(`${tally.line(name)}\n`)
for (const [name, { wrong }] of Object.entries(tallies)) for (const text of wrong) process.stdout.write(`${name}: ${text}\n`)
