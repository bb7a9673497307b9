import type { Attributes, Span } from '@opentelemetry/api'
import { type DecisionRecord, type IntentBody, type ResultBody, receiptName } from '../../lib/api/receipt.ts'
import { describe, UserError } from '../../lib/core/errors.ts'
import type { InForce } from '../authority.ts'
import type { GateContext } from '../context.ts'
import { ATTR } from '../telemetry.ts'
import type { Finished } from './outcome.ts'

/** What was decided, by which remit; `id` where the agent's history counts it. */
export interface Ruling {
  inForce: InForce
  decision: DecisionRecord
  id?: string
}
/** Something that has to be decided and recorded before it is done. */
export interface Step<R extends Ruling> {
  span: Span
  /** Labels of its metrics, without values of unbounded number. */
  labels: Attributes
  /** Decides by the remit in force at this moment. */
  decide: () => Promise<R>
  /** `began`: milliseconds since the epoch. */
  intent: (ruling: R, began: number) => IntentBody
}
/** It is allowed, and its intent is on disk. */
export interface Allowed<R extends Ruling> {
  is: 'allowed'
  ruling: R
  /** Name of the intent receipt. */
  intent: string
  began: number
}
export type Begun<R extends Ruling> =
  | Allowed<R>
  | { is: 'refused'; ruling: R; intent: string; code: string }
  | { is: 'unrecorded'; code: string; message: string }

const OVERTAKEN = 'Another remit came before the call left; it was not made, and decided again.'

/** Lets pass that something could not be recorded now: the spool keeps it, and the next intent tells. */
const unlessOurs = (error: unknown): void => {
  if (!(error instanceof UserError)) throw error
}

const decisionAttributes = (decision: DecisionRecord, receipt: string) => ({
  [ATTR.effect]: decision.effect,
  [ATTR.receipt]: receipt,
  ...(decision.code ? { [ATTR.code]: decision.code } : {}),
  ...(decision.rule ? { [ATTR.rule]: decision.rule } : {}),
  ...(decision.policy ? { [ATTR.policy]: decision.policy } : {}),
  ...(decision.observed ? { [ATTR.observed]: decision.observed.effect } : {}),
})

/** Decides and writes the intent, in this order; again when the remit changed while a slow disk took the intent. */
export const begin = async <R extends Ruling>(gate: GateContext, step: Step<R>): Promise<Begun<R>> => {
  const { instruments } = gate.telemetry
  for (;;) {
    const began = gate.now()
    const ruling = await step.decide()
    const { decision, id, inForce } = ruling
    const labels = { ...step.labels, [ATTR.effect]: decision.effect }
    let intent: string
    try {
      intent = receiptName(await gate.record(step.intent(ruling, began)))
    } catch (error) {
      if (id !== undefined) gate.history.forget(id)
      if (!(error instanceof UserError)) throw error
      instruments.denials.add(1, { ...labels, [ATTR.code]: error.code })
      return { is: 'unrecorded', code: error.code, message: error.message }
    }
    if (id !== undefined) gate.history.recorded(id, intent)
    instruments.record.record((gate.now() - began) / 1000)
    step.span.setAttributes(decisionAttributes(decision, intent))
    if (decision.effect !== 'Allow') {
      if (id !== undefined) gate.history.closed(id)
      await gate.history.escalate()
      const code = decision.code ?? 'NoRuleAllows'
      instruments.denials.add(1, { ...labels, [ATTR.code]: code })
      return { is: 'refused', ruling, intent, code }
    }
    // Disks can be slow: what was allowed while its intent was written must still be allowed when it leaves.
    if (gate.authority.current() === inForce) return { is: 'allowed', ruling, intent, began }
    if (id !== undefined) gate.history.ended(id, 'error')
    const durationMs = gate.now() - began
    await gate.record({ kind: 'result', intent, outcome: 'error', durationMs, text: OVERTAKEN }).catch(unlessOurs)
    if (id !== undefined) gate.history.closed(id)
  }
}

/** What came of it is recorded; or it is not, which is all that anybody may be told of it. */
export type Ended = { is: 'recorded'; finished: Finished } | { is: 'lost'; code: string; message: string }

/**
 * Does what was begun and writes its result; what it came to goes to nobody before that is on disk.
 * @param also what more the result says of it
 */
export const finish = async <R extends Ruling>(
  gate: GateContext,
  { ruling: { id }, intent, began }: Allowed<R>,
  labels: Attributes,
  make: () => Promise<Finished>,
  also: (finished: Finished) => Promise<Partial<ResultBody>> = async () => ({}),
): Promise<Ended> => {
  try {
    const finished = await make()
    const { outcome } = finished
    if (id !== undefined) gate.history.ended(id, outcome.outcome)
    gate.telemetry.instruments.calls.add(1, {
      ...labels,
      [ATTR.effect]: 'Allow',
      [ATTR.outcome]: outcome.outcome,
    })
    const more = await also(finished)
    try {
      await gate.record({ kind: 'result', intent, durationMs: gate.now() - began, ...outcome, ...more })
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      const { code, message } = describe('ResultNotRecorded', { detail: String(error.values.detail) })
      return { is: 'lost', code, message }
    }
    await gate.history.escalate()
    return { is: 'recorded', finished }
  } finally {
    if (id !== undefined) gate.history.closed(id)
  }
}
