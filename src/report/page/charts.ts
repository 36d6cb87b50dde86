/** Charts over time: the only home of uPlot. Colours come from the style sheet, so light, dark and print each have their own. */
import uPlot from 'uplot'
import type { Alert, ReportData } from './model.ts'
import type { Series } from '../data.ts'
import { count, day, minute, shapeOf, size } from './dom.ts'

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const axis = (more: uPlot.Axis = {}): uPlot.Axis => ({
  stroke: css('--soft'), grid: { stroke: css('--line'), width: 1 }, ticks: { stroke: css('--line'), width: 1 }, font: '12px system-ui, sans-serif', ...more,
})
const DAY = 86_400
const utc = (seconds: number): Date => uPlot.tzDate(new Date(seconds * 1000), 'UTC')

const width = (element: HTMLElement): number => Math.max(280, element.clientWidth)

/** Redraws on resize and on a change of colours. @returns draws again, with other data when given */
function living(element: HTMLElement, make: () => uPlot): void {
  let plot = make()
  new ResizeObserver(() => {
    if (Math.abs(plot.width - width(element)) > 1) plot.setSize({ width: width(element), height: plot.height })
  }).observe(element)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    if (!element.isConnected) return
    plot.destroy()
    plot = make()
  })
}

/** Traffic of the site as stepped areas, alerts as marks above it, by severity in lanes of their own. */
export function timelineChart(element: HTMLElement, { timeline }: ReportData, alerts: readonly Alert[], open: (alert: Alert) => void): void {
  const x = timeline.dicom.map((_, i) => (timeline.start + i * timeline.step) / 1e6)
  const lanes = ['critical', 'high', 'medium', 'low', 'info'].filter((s) => alerts.some((a) => a.severity === s))
  const laneHeight = 18
  const top = lanes.length * laneHeight + 8
  const place = (u: uPlot, a: Alert): [number, number] => [
    u.valToPos(a.raised_at / 1e6, 'x', true), u.bbox.top - (lanes.length - lanes.indexOf(a.severity) - 0.5) * laneHeight * devicePixelRatio - 4 * devicePixelRatio,
  ]
  const marks = (u: uPlot): void => {
    const { ctx } = u
    ctx.save()
    ctx.textAlign = 'center'
    ctx.textBaseline = 'middle'
    ctx.font = `${15 * devicePixelRatio}px system-ui, sans-serif`
    for (const alert of alerts) {
      const [left, middle] = place(u, alert)
      if (left < u.bbox.left - 1 || left > u.bbox.left + u.bbox.width + 1) continue
      ctx.fillStyle = css(`--${alert.severity}`)
      ctx.fillText(shapeOf(alert.severity), left, middle)
      if (alerts.length > 200 || alert.severity === 'low' || alert.severity === 'info') continue
      ctx.strokeStyle = css(`--${alert.severity}`)
      ctx.globalAlpha = 0.35
      ctx.beginPath()
      ctx.moveTo(left, middle + 8 * devicePixelRatio)
      ctx.lineTo(left, u.bbox.top + u.bbox.height)
      ctx.stroke()
      ctx.globalAlpha = 1
    }
    ctx.textAlign = 'right'
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`
    ctx.fillStyle = css('--soft')
    lanes.forEach((lane, i) => ctx.fillText(lane, u.bbox.left - 6 * devicePixelRatio, u.bbox.top - (lanes.length - i - 0.5) * laneHeight * devicePixelRatio - 4 * devicePixelRatio))
    ctx.restore()
  }
  const stepped = uPlot.paths.stepped!({ align: 1 })
  const fill = (name: string): Partial<uPlot.Series> => ({ stroke: css(name), fill: `color-mix(in srgb, ${css(name)} 22%, transparent)`, width: 1.2, paths: stepped, points: { show: false } })
  living(element, () => {
    const plot = new uPlot({
      width: width(element), height: 240 + top, tzDate: utc, padding: [top, 8, 0, 0],
      scales: { x: { time: true }, n: { range: (_u, _min, max) => [0, Math.max(4, max * 1.05)] } },
      axes: [axis({ values: (_u, ticks) => ticks.map((t, i) => tick(t, ticks[i - 1])), space: 70 }), axis({ scale: 'n', size: 64, values: (_u, ticks) => ticks.map((n) => count(n)), label: `per ${stepName(timeline.step)}`, labelSize: 18, labelFont: '12px system-ui, sans-serif' })],
      series: [
        { label: 'Time (UTC)', value: (_u, v) => (v === null ? '–' : minute(v * 1e6)) },
        { label: 'DICOM operations', scale: 'n', ...fill('--c1'), value: (_u, v) => (v === null ? '–' : count(v)) },
        { label: 'HL7 messages', scale: 'n', ...fill('--c2'), dash: [6, 3], value: (_u, v) => (v === null ? '–' : count(v)) },
        { label: 'other conversations', scale: 'n', ...fill('--c3'), dash: [2, 2], value: (_u, v) => (v === null ? '–' : count(v)) },
        { label: 'payload', scale: 'b', show: false, stroke: css('--c4'), value: (_u, v) => (v === null ? '–' : size(v)) },
      ],
      hooks: { draw: [marks] },
    }, [x, timeline.dicom, timeline.hl7, timeline.other, timeline.bytes], element)
    plot.root.addEventListener('click', (event) => {
      const box = plot.root.querySelector('canvas')!.getBoundingClientRect()
      const near = alerts.map((alert) => {
        const [left, middle] = place(plot, alert)
        return { alert, far: Math.hypot(left / devicePixelRatio - (event.clientX - box.left), middle / devicePixelRatio - (event.clientY - box.top)) }
      }).sort((a, b) => a.far - b.far)[0]
      if (near !== undefined && near.far < 14) open(near.alert)
    })
    return plot
  })
}

/** The hour, and the date where it changes. */
function tick(at: number, before: number | undefined): string {
  const text = minute(at * 1e6)
  if (before === undefined || minute(before * 1e6).slice(0, 10) !== text.slice(0, 10)) return at % DAY === 0 ? text.slice(5, 10) : `${text.slice(5, 10)}\n${text.slice(11)}`
  return text.slice(11)
}

export function stepName(step: number): string {
  const minutes = step / 60e6
  if (minutes === 1) return 'minute'
  if (minutes < 120) return `${minutes} minutes`
  return `${Math.round(minutes / 6) / 10} hours`
}

/** At or above what is rare, on a day before which at least three were learned. */
export const isBeyond = (s: Series, i: number): boolean => s.high[i] !== null && s.observed[i]! >= s.high[i]! && s.learned - (s.days.length - 1 - i) >= 3

/** Observed counts as bars, what was expected as a line in the band of normal days, and days beyond it marked by shape and colour. */
export function expectationChart(element: HTMLElement, series: Series): void {
  const x = series.days.map((n) => n * DAY)
  const beyond = series.observed.map((n, i) => (isBeyond(series, i) ? n : null))
  living(element, () => new uPlot({
    width: width(element), height: 170, tzDate: utc, cursor: { drag: { x: false, y: false } },
    scales: { x: { time: true, range: (_u, min, max) => [min - DAY * 0.6, max + DAY * 0.6] }, y: { range: (_u, _min, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [axis({ values: (_u, ticks) => ticks.map((t) => (t % DAY === 0 ? day(t / DAY).slice(5) : '')), space: 60 }), axis({ size: 56, values: (_u, ticks) => ticks.map((n) => count(n)) })],
    series: [
      { label: 'Day', value: (_u, v) => (v === null ? '–' : day(v / DAY)) },
      { label: 'rarely more than', stroke: css('--line'), fill: `color-mix(in srgb, ${css('--c3')} 14%, transparent)`, width: 1, paths: uPlot.paths.stepped!({ align: 0 as 1 }), points: { show: false }, value: (_u, v) => (v === null ? '–' : count(v)) },
      { label: 'observed', stroke: css('--c1'), fill: `color-mix(in srgb, ${css('--c1')} 45%, transparent)`, width: 1, paths: uPlot.paths.bars!({ size: [0.55, 28], align: 0 }), points: { show: false }, value: (_u, v) => (v === null ? '–' : count(v)) },
      { label: 'expected', stroke: css('--c2'), width: 2, dash: [6, 3], points: { show: x.length < 3 }, value: (_u, v) => (v === null ? '–' : count(v)) },
      { label: 'beyond', stroke: css('--high'), width: 0, paths: () => null, points: { show: true, size: 11, stroke: css('--high'), fill: css('--high') }, value: (_u, v) => (v === null ? 'no' : count(v)) },
    ],
  }, [x, series.high, series.observed, series.expected, beyond], element))
}
