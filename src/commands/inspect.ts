/** `wardwire inspect FILE...`: the conversations of a capture, readable. Nothing is learned or judged. */
import { randomBytes } from 'node:crypto'
import { Decoder } from '../../protocols/decoder.ts'
import type { EventOf, Flow, WireEvent } from '../../protocols/events.ts'
import { MessageView } from '../../protocols/hl7/full-view.ts'
import { wholeMessages } from '../../protocols/hl7/whole.ts'
import { Pseudonyms } from '../../protocols/phi.ts'
import { rfc3339 } from '../../protocols/time.ts'
import { loadConfig } from '../config.ts'
import { associationText, operationRow, type Reveal } from '../inspect/dicom.ts'
import { messageText } from '../inspect/hl7-message.ts'
import { interfaceText } from '../inspect/hl7.ts'
import { amount, ends, shown, table } from '../inspect/text.ts'
import { readCaptures } from '../sources/captures.ts'
import { siteKeyOf } from '../store/site-key.ts'

export interface InspectOptions {
  flow?: string
  message?: string
  showPhi?: boolean
  config?: string
}

const say = (line: string): void => { process.stderr.write(`wardwire: ${line}\n`) }

/** @returns the exit code: 1 when an input could not be read or does not hold what was asked for, 2 when patient data was asked for without saying so */
export async function inspect(files: string[], options: InspectOptions): Promise<number> {
  if (options.message !== undefined) return inspectMessage(files, options.message, options)
  const config = loadConfig(options.config)
  const pseudonyms = new Pseudonyms(siteKeyOf(undefined, config.site_key_file, say), { remember: options.showPhi ?? false })
  const reveal: Reveal = (pseudonym) => pseudonyms.plain(pseudonym)
  /** What each conversation has said so far; printed, and forgotten, when it ends. */
  const open = new Map<Flow, WireEvent[]>()
  let printed = 0
  /** Of what was asked for, but says nothing that is read here. */
  let silent = 0
  const decoder = new Decoder({
    pseudonyms,
    communityIdSeed: config.community_id_seed,
    emit: (event) => {
      if (!('flow' in event)) return
      const said = open.get(event.flow) ?? []
      if (event.kind !== 'flow') {
        open.set(event.flow, said)
        said.push(event)
        return
      }
      open.delete(event.flow)
      if (!isAsked(event.flow, options.flow)) return
      if (said.length === 0) {
        silent++
        return
      }
      printed++
      process.stdout.write(`${conversationText(event, said, reveal, options.flow !== undefined).join('\n')}\n\n`)
    },
  })
  const isRead = await decodeAll(files, decoder)
  if (printed > 0) return isRead ? 0 : 1
  if (options.flow === undefined) {
    say('no DICOM, HL7 or TLS conversation in it')
    return isRead ? 0 : 1
  }
  say(silent > 0
    ? `conversation ${options.flow} holds no DICOM, HL7 or TLS: wardwire replay FILE --events - has its addresses, bytes and packets`
    : `no conversation ${options.flow} in it: wardwire inspect FILE lists their ids`)
  return 1
}

/** Nothing but the messages of one control id, whole. */
async function inspectMessage(files: string[], controlId: string, { flow, showPhi, config }: InspectOptions): Promise<number> {
  if (showPhi !== true) {
    say('a whole message is patient data: --message wants --show-phi')
    return 2
  }
  let printed = 0
  const protocol = wholeMessages((message) => {
    if (!isAsked(message.flow, flow) || !message.bytes.includes(controlId) || new MessageView(message.bytes).get('MSH-10') !== controlId) return
    printed++
    process.stdout.write(`${messageText(message).join('\n')}\n\n`)
  })
  const decoder = new Decoder({ pseudonyms: new Pseudonyms(randomBytes(32)), communityIdSeed: loadConfig(config).community_id_seed, emit: () => {}, protocols: [protocol] })
  const isRead = await decodeAll(files, decoder)
  if (printed > 0) return isRead ? 0 : 1
  say(`no HL7 message ${controlId} in ${flow === undefined ? 'it' : `conversation ${flow}`}: wardwire inspect FILE lists control ids`)
  return 1
}

/** @returns false when an input could not be read, or not to its end */
async function decodeAll(files: string[], decoder: Decoder): Promise<boolean> {
  const readerGone = new AbortController()
  process.stdout.once('error', () => readerGone.abort())
  const { problems, truncated } = await readCaptures(files, { onFrame: (frame) => decoder.frame(frame), signal: readerGone.signal })
  decoder.finish(truncated)
  for (const { path, text } of problems) say(`${path === '-' ? 'standard input' : path}: ${text}`)
  return problems.length === 0
}

function conversationText(end: EventOf<'flow'>, said: WireEvent[], reveal: Reveal, all: boolean): string[] {
  const { flow } = end
  const of = <K extends WireEvent['kind']>(kind: K): EventOf<K>[] => said.filter((e): e is EventOf<K> => e.kind === kind)
  const operations = of('dicom.operation')
  const messages = of('hl7.message')
  const associations = of('dicom.association')
  // An operation belongs to the association that ends next; without one (midstream) they stand alone.
  let from = 0
  const dicom = associations.flatMap((association, i) => {
    const mine = operations.slice(from).filter((o) => o.started <= association.ended_at || i === associations.length - 1)
    from += mine.length
    return associationText(association, mine, reveal, all)
  })
  const missing = end.gaps.client + end.gaps.server
  return [
    `${(end.protocol ?? 'tcp').toUpperCase()}  ${ends(flow)}  ${rfc3339(end.started).slice(0, 10)} ${rfc3339(end.started).slice(11, 19)}Z  ${flow.id}` +
      `${flow.vlan.length > 0 ? `  VLAN ${flow.vlan.join('.')}` : ''}${flow.midstream ? '  (start not seen)' : ''}${missing > 0 ? `  (${amount(missing, 'byte')} lost)` : ''}`,
    ...dicom,
    ...(associations.length === 0 ? table(operations.map((o) => operationRow(o, reveal)), '  ') : []),
    ...(messages.length > 0 ? interfaceText(messages, reveal, all) : []),
    ...of('tls.session').map((t) => `  ${shown(t.version)}, name ${shown(t.sni)}, protocol ${shown(t.alpn)}, JA4 ${shown(t.ja4)}` +
      (t.certificate ? `, certificate ${shown(t.certificate.subject)} until ${shown(t.certificate.not_after)}` : '')),
    ...of('violation').map((v) => `  violation       ${shown(v.code)} (${shown(v.section)}) at byte ${v.offset}: ${shown(v.detail)}`),
  ]
}

/** By the id of the conversation, or by its Community ID, which alerts and other tools name. */
const isAsked = (flow: Flow, wanted: string | undefined): boolean => wanted === undefined || wanted === flow.id || wanted === flow.community_id
