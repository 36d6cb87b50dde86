/** Elements out of data. Text only ever becomes a text node or an attribute: nothing from the wire is parsed as markup. */
import { withoutInvisible } from '../../../protocols/invisible.ts'

type Child = Node | string | number | null | undefined | false
type Attributes = Record<string, string | number | boolean | ((event: Event) => void) | undefined>

/** `h('a', { href: '#x', class: 'y', onclick: f }, 'text', element)` */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: (Child | Child[])[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children.flat()) if (child !== null && child !== undefined && child !== false) element.append(typeof child === 'number' ? String(child) : child)
  return element
}

export const byId = (id: string): HTMLElement => document.getElementById(id)!

/** A control character shows as a picture of itself, and text that turns around stays where it is. */
export const shown = (text: string): string => withoutInvisible(text, '\u{fffd}')

export const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

const waiting = new Set<() => void>()

/** Charts need their place on the page: they are drawn with the next frame, or by `drawNow`. */
export function whenPlaced(draw: () => void): void {
  waiting.add(draw)
  requestAnimationFrame(() => { if (waiting.delete(draw)) draw() })
}

/** Paper waits for no frame. */
export function drawNow(): void {
  for (const draw of waiting) {
    waiting.delete(draw)
    draw()
  }
}

/** While the page is made ready for paper: as wide as it, in its colours, everything at once. */
export const isPrinting = (): boolean => 'printing' in document.documentElement.dataset

// ---- numbers and times as people read them

export const count = (n: number): string => n.toLocaleString('en-US', { maximumFractionDigits: n < 10 ? 1 : 0 })

export function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let n = bytes
  let u = 0
  while (n >= 999.5 && u < units.length - 1) {
    n /= 1000
    u += 1
  }
  return `${n < 10 && u > 0 ? n.toFixed(1) : Math.round(n)} ${units[u]!}`
}

/** `2026-03-14 02:30:00` UTC. */
export const time = (at: number): string => new Date(at / 1000).toISOString().slice(0, 19).replace('T', ' ')
export const minute = (at: number): string => time(at).slice(0, 16)
export const day = (n: number): string => new Date(n * 86_400_000).toISOString().slice(0, 10)

export function span(micros: number): string {
  const minutes = micros / 60e6
  if (minutes < 90) return `${Math.max(1, Math.round(minutes))} minutes`
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} hours`
  return `${Math.round(minutes / 1440)} days`
}

export const percent = (part: number, whole: number): string => {
  if (whole === 0) return '–'
  const p = (100 * part) / whole
  return `${p === 0 || p >= 10 ? p.toFixed(0) : p < 0.1 ? '< 0.1' : p.toFixed(1)} %`
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

// ---- severities: a shape beside each colour

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const
const SHAPES: Record<string, string> = { critical: '⬢', high: '▲', medium: '◆', low: '●', info: '○' }
export const shapeOf = (severity: string): string => SHAPES[severity] ?? '○'

export function badge(severity: string): HTMLElement {
  return h('span', { class: `severity ${SEVERITIES.includes(severity as 'info') ? severity : 'info'}` }, h('span', { 'aria-hidden': 'true' }, shapeOf(severity)), ` ${severity}`)
}

/** A list in pages, so that ten thousand rows cost as much as fifty. */
export function paged<T>(label: string, head: string[], row: (item: T) => HTMLTableRowElement, per = 50): { element: HTMLElement; show(items: readonly T[]): void } {
  const body = h('tbody')
  const where = h('span', { 'aria-live': 'polite' })
  let items: readonly T[] = []
  let from = 0
  const go = (step: number): void => {
    from = Math.max(0, Math.min(from + step, items.length - 1 - ((items.length - 1) % per)))
    draw()
  }
  const back = h('button', { type: 'button', onclick: () => go(-per) }, 'Previous')
  const on = h('button', { type: 'button', onclick: () => go(per) }, 'Next')
  const nav = h('div', { class: 'pager' }, back, on, where)
  const draw = (): void => {
    body.replaceChildren(...items.slice(from, from + per).map(row))
    back.disabled = from === 0
    on.disabled = from + per >= items.length
    nav.classList.toggle('single', items.length <= per)
    where.textContent = items.length === 0 ? 'none' : items.length <= per ? `${count(items.length)} in all` : `${count(from + 1)} to ${count(Math.min(from + per, items.length))} of ${count(items.length)}`
  }
  const element = h('div', { class: 'paged' },
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, h('table', {}, h('thead', {}, h('tr', {}, ...head.map((name) => h('th', { scope: 'col' }, name)))), body)), nav)
  return {
    element,
    show(list) {
      items = list
      from = 0
      draw()
    },
  }
}

/** The button says so when the text is on the clipboard; where there is none, the text is selected. */
export function copyable(text: string): HTMLElement {
  const code = h('code', {}, text)
  const button = h('button', { type: 'button', class: 'copy', onclick: () => void copy() }, 'Copy')
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      button.textContent = 'Copied'
    } catch {
      getSelection()?.selectAllChildren(code)
      button.textContent = 'Selected'
    }
    setTimeout(() => { button.textContent = 'Copy' }, 2000)
  }
  return h('div', { class: 'command' }, code, button)
}
