/**
 * One event as one of its two devices lives it: what detectors are handed beside the event. Reused from event to event.
 * Counting comes before judging (the open window is never part of the baseline), learning what is known comes after.
 */
import type { Refusal } from './answers.ts'
import type { Crossing } from './baseline/counts.ts'
import type { Habit } from './baseline/novelty.ts'
import type { Device } from './device.ts'
import type { Ends } from './directory.ts'
import type { Claim } from './names.ts'
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
  day: number
}
