/** What programs say of themselves at the start of a conversation: SSH (RFC 4253 4.2), HTTP (RFC 9110 10.1.5, 10.2.4). */
import { latin1 } from '../bytes.ts'
import { fieldOf, isStartLine } from '../http/head.ts'
import { LIMITS } from '../limits.ts'
import { safeProduct, systemClaim, type Claim } from './claim.ts'
import { SYSTEMS, type System } from './systems.ts'

type Rule = readonly [pattern: RegExp, system: System, confidence: Claim['confidence']]

/** SSH-protoversion-softwareversion SP comments: distributions name their release in the version of the package. */
const SSH: readonly Rule[] = [
  [/OpenSSH_for_Windows/, SYSTEMS.windows10Or11, 'medium'],
  [/OpenSSH_6\.6\S* Ubuntu/, SYSTEMS.ubuntu1404, 'high'],
  [/OpenSSH_7\.2\S* Ubuntu/, SYSTEMS.ubuntu1604, 'high'],
  [/OpenSSH_7\.6\S* Ubuntu/, SYSTEMS.ubuntu1804, 'high'],
  [/OpenSSH_8\.2\S* Ubuntu/, SYSTEMS.ubuntu2004, 'high'],
  [/OpenSSH_8\.9\S* Ubuntu/, SYSTEMS.ubuntu2204, 'high'],
  [/OpenSSH_9\.6\S* Ubuntu/, SYSTEMS.ubuntu2404, 'high'],
  [/\bdeb8u|OpenSSH_6\.7\S* Debian/, SYSTEMS.debian8, 'high'],
  [/\bdeb9u|deb9/, SYSTEMS.debian9, 'high'],
  [/deb10u/, SYSTEMS.debian10, 'high'],
  [/deb11u/, SYSTEMS.debian11, 'high'],
  [/deb12u/, SYSTEMS.debian12, 'high'],
  [/FreeBSD/, SYSTEMS.freebsd, 'medium'],
  [/Ubuntu|Debian/, SYSTEMS.linux, 'medium'],
]

const USER_AGENT: readonly Rule[] = [
  [/Windows NT 10\.0/, SYSTEMS.windows10Or11, 'medium'],
  [/Windows NT 6\.3/, SYSTEMS.windows81, 'medium'],
  [/Windows NT 6\.2/, SYSTEMS.windows8, 'medium'],
  [/Windows NT 6\.1/, SYSTEMS.windows7, 'medium'],
  [/Windows NT 6\.0/, SYSTEMS.windowsVista, 'medium'],
  [/Windows NT 5\.2/, SYSTEMS.windows2003, 'medium'],
  [/Windows NT 5\.1/, SYSTEMS.windowsXp, 'medium'],
  [/Windows NT 5\.0/, SYSTEMS.windows2000, 'medium'],
  [/Windows CE/, SYSTEMS.windowsCe, 'medium'],
  [/Android/, SYSTEMS.android, 'medium'],
  [/Mac OS X|iPhone OS/, SYSTEMS.macos, 'medium'],
  [/Linux/, SYSTEMS.linux, 'low'],
]

const SERVER: readonly Rule[] = [
  [/Microsoft-IIS\/5\.0/, SYSTEMS.windows2000, 'high'],
  [/Microsoft-IIS\/5\.1/, SYSTEMS.windowsXp, 'high'],
  [/Microsoft-IIS\/6\.0/, SYSTEMS.windows2003, 'high'],
  [/Microsoft-IIS\/7\.0/, SYSTEMS.windowsVista, 'high'],
  [/Microsoft-IIS\/7\.5/, SYSTEMS.windows7, 'high'],
  [/Microsoft-IIS\/8\.0/, SYSTEMS.windows8, 'high'],
  [/Microsoft-IIS\/8\.5/, SYSTEMS.windows81, 'high'],
  [/Microsoft-IIS\/10\.0/, SYSTEMS.windows10Or11, 'high'],
  [/\(CentOS\)/, SYSTEMS.linux, 'medium'],
  [/\((Ubuntu|Debian|Unix)\)/, SYSTEMS.linux, 'low'],
  [/\(Win(32|64)\)|Microsoft/, SYSTEMS.windows, 'medium'],
]

const matching = (rules: readonly Rule[], text: string, source: string, evidence: string): Claim | undefined => {
  const found = rules.find(([pattern]) => pattern.test(text))
  return found && systemClaim(found[1], source, found[2], evidence)
}

/** @param start of a segment that begins with `SSH-` */
export function sshClaim(bytes: Uint8Array, start: number, end: number): Claim | undefined {
  const line = /^SSH-[12]\.\d+-[^\r\n]*/.exec(latin1(bytes, start, Math.min(end, start + 255)))?.[0]
  return line === undefined ? undefined : matching(SSH, line, 'ssh', `SSH banner ${safeProduct(line)}`)
}

/** @param start of a segment that may begin an HTTP/1.1 message. Of its fields only these two are looked at. */
export function httpClaim(bytes: Uint8Array, start: number, end: number): Claim | undefined {
  const text = latin1(bytes, start, Math.min(end, start + LIMITS.host.headBytes))
  const head = text.split('\r\n\r\n', 1)[0]!
  if (!isStartLine(head.split('\n', 1)[0]!)) return undefined
  if (head.startsWith('HTTP/')) {
    const server = fieldOf(head, 'server')
    return server === null ? undefined : matching(SERVER, server, 'http-server', `HTTP Server ${safeProduct(server)}`)
  }
  const agent = fieldOf(head, 'user-agent')
  if (agent === null) return undefined
  const found = USER_AGENT.find(([pattern]) => pattern.test(agent))
  return found && systemClaim(found[1], 'http-agent', found[2], `HTTP User-Agent names ${found[0].exec(agent)![0]}`)
}
