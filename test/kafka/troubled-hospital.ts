/** Nearly a week of a small hospital that ends badly, as events: several devices do what they never did, and on over midnight. The same every time. */
import type { WireEvent } from '../../protocols/events.ts'
import { ordinaryDays, troubles } from '../models/hospital.ts'

const LEARNED = 5

export const troubledHospital = (): WireEvent[] => [...ordinaryDays(LEARNED), ...troubles(LEARNED, 90, 15)]
