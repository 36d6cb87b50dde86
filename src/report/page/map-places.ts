/** Where on the map a spot stands: stages side by side on a screen, one below the other on a phone; the same for the same site every time. */
import { networkOf } from './model.ts'
import { COLUMNS, type Spot } from './map-spots.ts'

export interface Place {
  x: number
  y: number
}

export interface Places {
  at: ReadonlyMap<Spot, Place>
  heads: readonly (Place & { label: string })[]
}

/** Neighbours of a stage stand aside by turns, so that one's name does not run into the other's. */
const ASIDE = 26

const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)

function stages(spots: readonly Spot[]): { label: string; members: Spot[] }[] {
  return COLUMNS.map(([label, roles]) => ({
    label,
    members: spots.filter((s) => roles.includes(s.group)).sort((a, b) =>
      compare(roles.indexOf(a.group), roles.indexOf(b.group)) || compare(networkOf(a.members[0]!.ip), networkOf(b.members[0]!.ip)) || compare(a.label, b.label)),
  })).filter(({ members }) => members.length > 0)
}

/** Stages as columns. One breaks into several when it gets too tall; the more spots, the taller, so that the picture keeps its shape. */
export function sideBySide(spots: readonly Spot[]): Places {
  const ACROSS = 200
  const DOWN = 54
  const tall = Math.max(12, Math.ceil(Math.sqrt(1.6 * spots.length)))
  const at = new Map<Spot, Place>()
  const heads: { label: string; x: number }[] = []
  let x = 0
  for (const { label, members } of stages(spots)) {
    const wide = (Math.ceil(members.length / tall) - 1) * ACROSS * 0.6
    heads.push({ label, x: x + wide / 2 + ASIDE / 2 })
    members.forEach((spot, i) => {
      const column = Math.floor(i / tall)
      const inColumn = Math.min(tall, members.length - column * tall)
      at.set(spot, { x: x + column * ACROSS * 0.6 + (i % 2) * ASIDE, y: ((i % tall) - (inColumn - 1) / 2) * DOWN })
    })
    x += ACROSS + wide
  }
  const top = Math.min(0, ...[...at.values()].map((place) => place.y)) - 70
  return { at, heads: heads.map((head) => ({ ...head, y: top })) }
}

/** Stages as rows under their names, for a screen that is taller than wide. */
export function oneBelowTheOther(spots: readonly Spot[]): Places {
  const ACROSS = 88
  const DOWN = 84
  const perRow = Math.max(4, Math.ceil(Math.sqrt(0.7 * spots.length)))
  const at = new Map<Spot, Place>()
  const heads: (Place & { label: string })[] = []
  let y = 0
  for (const { label, members } of stages(spots)) {
    heads.push({ label, x: ((perRow - 1) * ACROSS) / 2, y })
    members.forEach((spot, i) => {
      const inRow = Math.min(perRow, members.length - Math.floor(i / perRow) * perRow)
      at.set(spot, { x: ((i % perRow) + (perRow - inRow) / 2) * ACROSS, y: y + 36 + Math.floor(i / perRow) * DOWN + ((i % perRow) % 2) * ASIDE })
    })
    y += 36 + Math.ceil(members.length / perRow) * DOWN + (members.length > 1 ? ASIDE : 0) / 2
  }
  return { at, heads }
}
