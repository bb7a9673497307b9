import type { CallRecord, DecisionRecord, IntentBody, OtherCallRecord } from '../lib/api/receipt.ts'
import { sha256hex } from '../lib/core/canonical.ts'
import type { Assessment } from '../lib/core/decide.ts'
import type { Step } from '../lib/core/path.ts'
import { redact } from '../lib/core/redact.ts'
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

/** How what is redacted stands in a record. */
export interface Hide {
  commit: (where: string, value: Json) => Json
  digest: (text: string) => string
}

/**
 * Arguments as they stand in a record, forwarded as `JSON.stringify` writes them. Where a path leads to one of them,
 * `commit` stands in for it, and the digest is a salted one.
 */
const recordedArguments = (args: Json, redacted: Step[][], hide: Hide) => {
  const text = JSON.stringify(args)
  let hidden = false
  const shown = redact(args, redacted, (where, value) => {
    hidden = true
    return hide.commit(where, value)
  })
  return {
    argumentsDigest: hidden ? hide.digest(text) : sha256hex(text),
    ...(hidden ? { salted: true as const } : {}),
    argumentsBytes: Buffer.byteLength(text),
    arguments: shown,
  }
}

/** The record of a tool call. */
export const toolRecord = (
  server: string,
  tool: string,
  args: Json,
  { class: cls, record: facts }: Assessment,
  redacted: Step[][],
  hide: Hide,
): Extract<CallRecord, { type: 'tool' }> => ({
  type: 'tool',
  server,
  tool: clip(tool, 256),
  ...recordedArguments(args, redacted, hide),
  ...(cls === undefined ? {} : { class: cls }),
  ...(facts === undefined ? {} : { facts }),
})

const NAME_CHARS = 2_048
const NAME_BYTES = 4_096

/** A name as long as one can be that may be decided on; what is longer, or grows as JSON, is cut. */
const nameOf = (name: string): string =>
  name.length <= NAME_CHARS && Buffer.byteLength(JSON.stringify(name)) <= NAME_BYTES ? name : clip(name, 512)

/** The record of what is no call of a tool or model; `about` says what it is. */
export const otherRecord = (
  about: Pick<OtherCallRecord, 'type' | 'server' | 'method' | 'name' | 'intent'>,
  args: Json,
  redacted: Step[][],
  hide: Hide,
): OtherCallRecord => ({
  ...about,
  name: nameOf(about.name),
  ...recordedArguments(args, redacted, hide),
})

/** Who, under what, does what, why: written before anything leaves the pod. */
export const intentBody = (
  inForce: InForce,
  call: CallRecord,
  decision: DecisionRecord,
  trace: NonNullable<IntentBody['trace']>,
  stated: IntentBody['stated'],
  now: number,
  object?: IntentBody['object'],
): IntentBody => {
  const { agent, owner, generation } = inForce.remit
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
    ...(object ? { object } : {}),
    trace,
  }
  // What an agent states of a call and what is noted of it can be as large as its arguments, and commitments larger; a
  // call with little of all that is not measured.
  if (
    call.type !== 'model' &&
    (stated !== undefined || 'facts' in call || call.salted || call.argumentsBytes > BODY_BYTES / 4) &&
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
