/**
 * One event as one of its two devices lives it: what detectors are handed beside the event. Reused from event to event.
 * Counting comes before judging (the open window is never part of the baseline), learning what is known comes after.
 */
import type { Refusal } from './answers.ts'
import type { Crossing } from './baseline/counts.ts'
import type { Habit } from './baseline/novelty.ts'
import type { Device } from './device.ts'
import type { Ends } from './directory.ts'
import { NO_CLAIMS, type Claim } from './names.ts'
import type { StreamName } from './streams.ts'

export interface Scene {
  /** The other end. */
  peer: Device
  /** Which end of the conversation the device is. */
  side: 'client' | 'server'
  /** Did the device ask for, or send, this (invoker of the operation, sender of the message)? */
  acts: boolean
  /** Who had one of the two do it (C-MOVE), when that is somebody else. */
  asker: Device | null
  /** DIMSE service or HL7. */
  service: string
  ends: Ends
  /** Critical values that this event reached. */
  crossed: { stream: StreamName; crossing: Crossing }[]
  /** Of the HL7 kind of this message. */
  kindCrossed: Crossing[] | undefined
  /** This message was not accepted, as none of another patient before it. */
  refusal: Refusal | undefined
  /** The edge to the peer as known before this event. */
  edge: Habit | undefined
  /** Two hosts with one name, found by this event. */
  claims: Claim[]
  /** A study that this device meets for the first time today, in this direction. */
  newStudy: boolean
  unexplained: boolean
  /** Bytes of images that this event added to the day, by direction. */
  moved: 'out' | 'in' | null
  stale: boolean
  /** Private data of an object that holds more than those of its study before it today; 0: it does not. */
  privateBytes: number
  day: number
}

/** Empty until it is entered. */
export const newScene = (side: Scene['side']): Scene => ({
  peer: undefined as never, side, acts: false, asker: null, service: '', ends: undefined as never, crossed: [], kindCrossed: undefined, refusal: undefined, edge: undefined,
  claims: NO_CLAIMS, newStudy: false, unexplained: false, moved: null, stale: false, privateBytes: 0, day: 0,
})

/** The next event: what the last one left is cleared. Who asked, and the edge, are known when both ends have entered. */
export function enter(scene: Scene, peer: Device, ends: Ends, acts: boolean, claims: Claim[], day: number): void {
  scene.peer = peer
  scene.ends = ends
  scene.acts = acts
  scene.claims = claims
  if (scene.crossed.length > 0) scene.crossed = []
  scene.kindCrossed = undefined
  scene.refusal = undefined
  scene.newStudy = false
  scene.unexplained = false
  scene.moved = null
  scene.stale = false
  scene.privateBytes = 0
  scene.service = ''
  scene.day = day
}
