/** The live part of the console: data over the loopback connection, alerts as they are raised, and decisions. */
import type { Decision } from '../console.ts'
import type { Live } from './alerts.ts'
import { badge, byId, h, shown } from './dom.ts'
import { Model, type Alert, type ReportData } from './model.ts'

interface Answer { data: ReportData; decisions: Record<string, Decision> }
interface Screen { refresh(): void }

/** Milliseconds before a lost connection is tried again. */
const AGAIN = 2000

export async function liveConsole(start: (model: Model, live: Live) => Screen): Promise<void> {
  const token = takeToken()
  const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } })
  const first = await ask('/data')
  if (!first.ok) {
    byId('page').replaceChildren(h('main', {}, h('h1', {}, 'wardwire console'), h('p', { class: 'lead' }, ((await first.json()) as { error: string }).error)))
    return
  }
  const answer = await first.json() as Answer
  const desk = new Desk(ask, answer.decisions)
  const model = new Model(answer.data)
  const screen = start(model, desk)
  desk.changed = () => screen.refresh()
  const status = h('span', { class: 'live', role: 'status', 'aria-live': 'polite' }, 'live')
  document.querySelector('header h1')!.after(status)
  const reload = async (): Promise<void> => {
    const { data, decisions } = await (await ask('/data')).json() as Answer
    model.take(data)
    desk.decisions = decisions
    screen.refresh()
  }
  for (;;) {
    try {
      for await (const { event, data } of follow(await ask('/live'))) {
        if (event === 'alert') {
          const alert = JSON.parse(data) as Alert
          model.put(alert)
          status.replaceChildren('new: ', badge(alert.severity), ' ', h('a', { href: `#alert=${encodeURIComponent(alert.id)}` }, shown(alert.title)))
          screen.refresh()
        } else if (event === 'data') await reload()
        else if (event === 'open') status.textContent = 'live'
      }
    } catch {
      // The connection is gone; it is tried again below.
    }
    status.replaceChildren(h('span', { class: 'error' }, 'no connection to the console'))
    await new Promise((resolve) => setTimeout(resolve, AGAIN))
    await reload().catch(() => undefined)
  }
}

/** Out of the address, so that it is in no history and no screenshot. */
function takeToken(): string {
  const given = /^#token=([\w-]+)/.exec(location.hash)?.[1]
  if (given !== undefined) {
    sessionStorage.setItem('token', given)
    history.replaceState(null, '', '/')
  }
  return sessionStorage.getItem('token') ?? ''
}

/** Server-sent events over fetch, because only fetch sends the token in a header. */
async function* follow(response: Response): AsyncGenerator<{ event: string; data: string }> {
  if (!response.ok || response.body === null) return
  yield { event: 'open', data: '' }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    text += value
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map(text.slice(0, end).split('\n').map((line) => [line.slice(0, Math.max(0, line.indexOf(':'))), line.slice(line.indexOf(':') + 2)]))
      text = text.slice(end + 2)
      if (fields.has('data')) yield { event: fields.get('event') ?? 'message', data: fields.get('data')! }
    }
  }
}

/** What was decided, and the controls to decide. */
class Desk implements Live {
  decisions: Record<string, Decision>
  changed: () => void = () => undefined
  readonly #ask: (path: string, init?: RequestInit) => Promise<Response>

  constructor(ask: (path: string, init?: RequestInit) => Promise<Response>, decisions: Record<string, Decision>) {
    this.#ask = ask
    this.decisions = decisions
  }

  acknowledged(alert: Alert): boolean {
    return this.decisions[alert.id]?.acknowledged === true
  }

  actions(alert: Alert): HTMLElement {
    const said = h('p', { role: 'status', class: 'soft' }, this.decisions[alert.id]?.answer ?? '')
    const days = h('input', { type: 'number', min: 1, max: 366, value: 30, 'aria-label': 'days' })
    const why = h('input', { type: 'text', maxlength: 200, placeholder: 'ticket or reason' })
    const decide = async (decision: string, body: object = {}): Promise<void> => {
      const response = await this.#ask(`/alerts/${encodeURIComponent(alert.id)}/${decision}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
      const answer = await response.json() as { said?: string; error?: string; decisions?: Record<string, Decision> }
      said.textContent = answer.said ?? answer.error ?? ''
      said.className = response.ok ? 'soft' : 'error'
      if (answer.decisions !== undefined) this.decisions = answer.decisions
      if (response.ok && (decision === 'acknowledge' || decision === 'reopen')) this.changed()
    }
    const button = (text: string, act: () => void): HTMLElement => h('button', { type: 'button', onclick: act }, text)
    const isDone = this.acknowledged(alert)
    return h('div', {},
      h('div', { class: 'actions' },
        button(isDone ? 'Reopen' : 'Acknowledge', () => void decide(isDone ? 'reopen' : 'acknowledge')),
        h('label', {}, 'for days', days), h('label', {}, 'because', why),
        button('Allow', () => void decide('allow', { days: Number(days.value), why: why.value })),
        button('Mark malicious', () => void decide('malicious')), button('Take the answer back', () => void decide('take-back'))),
      h('p', { class: 'soft' }, 'Allowing covers the same again, between the same devices, until the day; malicious takes what that time taught out of the baseline.'), said)
  }
}
