/** What was not seen, so that silence is not read as safety. */
import type { Model } from './model.ts'
import { count, h, percent, shown, size } from './dom.ts'

const table = (label: string, head: string[], rows: (string | HTMLElement)[][]): HTMLElement =>
  h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, h('table', {}, h('thead', {}, h('tr', {}, ...head.map((t) => h('th', { scope: 'col' }, t)))),
    h('tbody', {}, ...(rows.length === 0 ? [h('tr', {}, h('td', { colspan: head.length }, 'none'))] : rows.map((row) => h('tr', {}, ...row.map((cell, i) => h('td', { class: i > 0 ? 'n' : '' }, cell))))))))

export function unseenView(model: Model): HTMLElement {
  const { unseen: u, events } = model.data
  const bytes = Object.values(u.protocols).reduce((sum, p) => sum + p.bytes, 0)
  const flows = Object.values(u.protocols).reduce((sum, p) => sum + p.flows, 0)
  const bar = (part: number, whole: number): HTMLElement => h('span', {}, percent(part, whole), ' ', h('meter', { min: 0, max: 1, value: whole === 0 ? 0 : part / whole, 'aria-hidden': 'true' }))
  const beyond = [[u.devicesBeyond, 'devices'], [u.edgesBeyond, 'conversations between further pairs of hosts'], [u.alertsBeyond, 'alerts of least severity']] as const
  return h('div', {},
    h('p', { class: 'lead' }, 'A passive sensor judges what passes it. These are the parts it could not judge; an attack inside them raises no alert.'),
    h('h3', {}, 'Lost'),
    table('Lost', ['What', 'How much', 'Share'], [
      ['bytes that the conversations prove missing', size(u.lostBytes), bar(u.lostBytes, bytes + u.lostBytes)],
      ['conversations whose start was not seen', count(u.midstream), bar(u.midstream, flows)],
      ['conversations that nobody answered (or whose answer passes elsewhere)', count(u.unanswered), bar(u.unanswered, flows)],
      ['the capture ends in the middle of a record', u.truncated ? 'yes' : 'no', ''],
    ]),
    h('h3', {}, 'Not readable'),
    table('Payload by protocol', ['Protocol', 'Conversations', 'Payload', 'Share of payload'], Object.entries(u.protocols).sort((a, b) => b[1].bytes - a[1].bytes).map(([name, p]) =>
      [name === 'tls' ? 'tls (encrypted: who, when and how much, not what)' : name === 'not recognised' ? 'not recognised (counted, not decoded)' : shown(name), count(p.flows), size(p.bytes), bar(p.bytes, bytes)])),
    h('h3', {}, 'Cut short'),
    h('p', {}, 'Events that loss, slicing or the end of the capture left incomplete.'),
    table('Incomplete events', ['Kind', 'Incomplete', 'Share'], Object.entries(u.incomplete).map(([kind, n]) => [shown(kind), count(n), bar(n, events[kind] ?? n)])),
    h('h3', {}, 'Went no further'),
    h('p', {}, `Of ${count(u.frames)} frames (${size(u.frameBytes)}), by reason. Frames that are neither TCP nor UDP over IP are counted here too.`),
    table('Dropped', ['Reason', 'Count'], Object.entries(u.dropped).sort((a, b) => b[1] - a[1]).map(([reason, n]) => [shown(reason), count(n)])),
    h('h3', {}, 'Against the standards'),
    table('Violations', ['Code', 'Count'], Object.entries(u.violations).sort((a, b) => b[1] - a[1]).map(([code, n]) => [shown(code), count(n)])),
    ...(beyond.some(([n]) => n > 0) ? [h('h3', {}, 'Not in this report'), h('p', {}, `Found no room: ${beyond.filter(([n]) => n > 0).map(([n, what]) => `${count(n)} ${what}`).join(', ')}.`)] : []),
    h('h3', {}, 'What no passive sensor sees'),
    h('p', {}, 'Somebody who keeps to the usual peers, hours, patients with orders and volume of the device they use; what never crosses the mirrored links; and changes made inside a device.'))
}
