import type { Span } from '@opentelemetry/api'
import type { CallRecord, DecisionRecord, IntentBody } from '../lib/api/receipt.ts'
import { sha256hex } from '../lib/core/canonical.ts'
import { onCall } from '../lib/core/rotate.ts'
import type { Json } from '../lib/core/strict.ts'
import type { InForce } from './authority.ts'

/** Room for what an envelope's digest covers; the core refuses bodies over 16 KB. */
const BODY_BYTES = 15 * 1024
const STATED_CHARS = 1_000
const TEXT_CHARS = 1_000

/** At most `max` characters, never half of one. */
export const clip = (text: string, max: number): string => text.slice(0, max).replace(/\p{Cs}/gu, '\ufffd')

/** What the agent says about a call, as far as it is text. */
export const statedBy = (task: unknown, reason: unknown): IntentBody['stated'] => {
  const stated = {
    ...(typeof task === 'string' && task ? { task: clip(task, STATED_CHARS) } : {}),
    ...(typeof reason === 'string' && reason ? { reason: clip(reason, STATED_CHARS) } : {}),
  }
  return Object.keys(stated).length ? stated : undefined
}

/** The record of a tool call; `text` are the exact bytes of `params.arguments` that would be forwarded. */
export const toolRecord = (server: string, tool: string, args: Json, text: string): CallRecord => ({
  type: 'tool',
  server,
  tool: clip(tool, 256),
  argumentsDigest: sha256hex(text),
  argumentsBytes: Buffer.byteLength(text),
  arguments: args,
})

/** Who, under what, does what, why: written before anything leaves the pod. */
export const intentBody = (
  inForce: InForce,
  call: CallRecord,
  decision: DecisionRecord,
  span: Span,
  stated: IntentBody['stated'],
  now: number,
): IntentBody => {
  const { agent, owner, generation } = inForce.remit
  const { traceId, spanId } = span.spanContext()
  // The groups are in the remit, whose digest is here; somebody in hundreds of them would leave no room for the call.
  const { groups: _groups, ...createdBy } = agent.createdBy
  const body: IntentBody = {
    kind: 'intent',
    agent: { id: agent.id, namespace: agent.namespace, name: agent.name, createdBy },
    owner: { group: owner.group, onCall: onCall(owner.spec, now)?.names ?? [] },
    remit: { digest: inForce.digest, generation },
    call,
    ...(stated ? { stated } : {}),
    decision,
    trace: { traceId, spanId },
  }
  // What an agent states of a call can be as large as its arguments; a call with little of both is not measured.
  if (
    call.type === 'tool' &&
    (stated !== undefined || call.argumentsBytes > BODY_BYTES / 2) &&
    Buffer.byteLength(JSON.stringify(body)) > BODY_BYTES
  ) {
    const { arguments: _left, ...rest } = call
    return { ...body, call: rest }
  }
  return body
}

/** The first text of a tool's result, for the timeline. */
export const firstText = (result: unknown): string | undefined => {
  const content = (result as { content?: unknown } | undefined)?.content
  if (!Array.isArray(content)) return undefined
  const text = (content as { type?: unknown; text?: unknown }[]).find(
    (part) => part?.type === 'text' && typeof part.text === 'string',
  )?.text
  return text === undefined ? undefined : clip(text as string, TEXT_CHARS)
}
