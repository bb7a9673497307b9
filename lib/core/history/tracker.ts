import type { ToolClass } from '../../api/gen/types.ts'
import type { Facts } from '../../api/receipt.ts'
import { canonical } from '../canonical.ts'
import type { FactPath } from './facts.ts'
import { keyOf } from './window.ts'

/** Something of the past that a rule looks at: which calls it is about, and what of them. */
export interface Tracker {
  /** The same for two that are about the same, so that what is known outlives a change of policy. */
  key: string
  what: 'window' | 'concurrent' | 'evidence' | 'taint'
  /** Milliseconds it looks back. */
  per: number
  counts: (server: string, tool: string, cls: ToolClass | undefined) => boolean
  /** Whether resources and prompts of the server are among it. */
  reads: (server: string) => boolean
  /** Calls of one group count together. */
  group: (server: string, tool: string) => string
  /** The argument of a sum or a distinct count. */
  arg?: string
  /** What of a call has to be recorded. */
  paths: FactPath[]
  /** Of evidence: what identifies the object of an earlier call; undefined when it is not known. */
  evidenceKey: (facts: Facts | undefined) => string | undefined
}

const oneGroup = () => ''
const noEvidence = () => undefined
const noReads = () => false

/** @param about what makes it different from another, as JSON */
export const tracker = (about: object, rest: Pick<Tracker, 'what' | 'per' | 'counts'> & Partial<Tracker>): Tracker => ({
  key: canonical(about),
  group: oneGroup,
  paths: [],
  reads: noReads,
  evidenceKey: noEvidence,
  ...rest,
})

/** The values of some paths as one key; undefined unless all are known. */
export const evidenceKeyOf =
  (args: string[]) =>
  (facts: Facts | undefined): string | undefined => {
    const values = args.map((arg) => facts?.[arg])
    return values.every((value) => value !== undefined)
      ? JSON.stringify(values.map((value) => (value as Facts[string]).map(keyOf)))
      : undefined
  }
