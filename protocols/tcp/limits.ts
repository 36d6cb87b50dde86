/** The `tcp` section of `limits.ts` as plain numbers, so that tests can set smaller ones. */
import { LIMITS } from '../limits.ts'

export type TcpLimits = { readonly [Name in keyof typeof LIMITS.tcp]: number }
