import type { Span } from '@opentelemetry/api'
import type { CallRecord, DecisionRecord, IntentBody } from '../lib/api/receipt.ts'
import type { Json } from '../lib/core/strict.ts'
import type { InForce } from './authority.ts'
/** At most `max` characters, never half of one. */
export declare const clip: (text: string, max: number) => string
/** What the agent says about a call, as far as it is text. */
export declare const statedBy: (task: unknown, reason: unknown) => IntentBody['stated']
/** The record of a tool call; `text` are the exact bytes of `params.arguments` that would be forwarded. */
export declare const toolRecord: (server: string, tool: string, args: Json, text: string) => CallRecord
/** Who, under what, does what, why: written before anything leaves the pod. */
export declare const intentBody: (
  inForce: InForce,
  call: CallRecord,
  decision: DecisionRecord,
  span: Span,
  stated: IntentBody['stated'],
  now: number,
) => IntentBody
/** The first text of a tool's result, for the timeline. */
export declare const firstText: (result: unknown) => string | undefined
