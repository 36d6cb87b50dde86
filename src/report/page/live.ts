/** The live part of the console: data over the loopback connection, alerts as they are raised, and decisions. */
import type { Live } from './alerts.ts'
import { Model } from './model.ts'

export async function liveConsole(_start: (model: Model, live: Live) => { refresh(): void }): Promise<void> {}
