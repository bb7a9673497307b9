import type { IncarnationBody } from '../../lib/api/receipt.ts'
import { type Segment } from './files.ts'
/** What an earlier run left in a spool directory. */
export interface Recovered {
  segments: Segment[]
  nextIndex: number
  /** The incarnation before, for the next one's first receipt. */
  previous?: NonNullable<IncarnationBody['previous']>
  /** Names of intents whose result was never recorded. */
  open: string[]
  /** Bytes of a half-written last line that were cut off. */
  torn: number
}
/** The evidence on disk is damaged in a way a crash does not explain; a person has to look. */
export declare class DamagedSpool extends Error {
  name: string
}
/**
 * Reads what the last incarnation left and cuts off a torn tail. Only the last incarnation can hold open intents: each
 * incarnation's file comes into being together with the orphans of the one before.
 */
export declare const recover: (dir: string) => Recovered
