import type { ErrorCode } from '../errors.ts'
import type { History } from '../history/history.ts'
import type { Json } from '../strict.ts'

/** What a rule's limits, evidence, fields and object look at. */
export interface Asked {
  server: string
  tool: string
  arguments: Json
  objects: ReadObject[] | undefined
  history: History
  /** Milliseconds on the clock by which the history's calls are timed. */
  steady: number
}

/** An object that was read for a rule with `object`. */
export interface ReadObject {
  /** "server/tool" */
  tool: string
  /** Of the read; absent: whatever was asked. */
  arguments?: Json
  value?: Json
  /** Why there is no value, as a phrase. */
  problem?: string
}

/** One line on what a rule saw of the past. */
export interface Fact {
  what: 'limit' | 'evidence' | 'taint'
  holds: boolean
  detail: string
  used?: string
  max?: string
  per?: string
}

/** What one such part of a rule says; "<what>; <rule> allows <wants>" is its sentence when it does not hold. */
export type Check =
  | { is: 'true'; fact?: Fact }
  | { is: 'false'; code: ErrorCode; what: string; wants: string; fact?: Fact }
  | { is: 'error'; what: string }
