import type { Receipt, ReceiptKind } from '../../lib/api/receipt.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Json } from '../../lib/core/strict.ts'

type Check = (value: Json | undefined) => boolean

const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value)
const text =
  (max: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= max
const among =
  (...allowed: string[]): Check =>
  (value) =>
    typeof value === 'string' && allowed.includes(value)
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const list =
  (check: Check, max: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= max && value.every(check)

const isScalar: Check = (value) => ['string', 'number', 'boolean'].includes(typeof value)

const HASH = matches(/^[0-9a-f]{64}$/)
const NAME = matches(/^[0-9a-f]{12}-\d{1,15}$/)
const UID = matches(/^[A-Za-z0-9-]{1,64}$/)
const TIME: Check = (value) =>
  matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)(value) && !Number.isNaN(Date.parse(value as string))
/** Everything a person may see in a table row is bounded. */
const LABEL = text(253)
const SENTENCE = text(2_000)

/** What a field must be, by its path from the object; a nested path implies the objects on the way. */
type Shape = Record<string, Check>
const AGENT: Shape = { 'agent.id': UID, 'agent.namespace': LABEL, 'agent.name': LABEL }

const ENVELOPE: Shape = {
  v: (value) => value === 1,
  kind: among('incarnation', 'remit', 'intent', 'result', 'orphan', 'escalation', 'heartbeat'),
  agent: UID,
  incarnation: matches(/^[0-9a-f]{12}$/),
  epoch: count,
  seq: count,
  prev: matches(/^([0-9a-f]{64})?$/),
  time: TIME,
  body: HASH,
  sig: matches(/^[A-Za-z0-9_-]{86}$/),
}
const DECISION: Shape = {
  'decision.effect': among('Allow', 'Draft', 'Ask', 'Deny'),
  'decision.code': optional(LABEL),
  'decision.rule': optional(LABEL),
  'decision.policy': optional(text(512)),
  'decision.reason': SENTENCE,
}
const BODIES: Record<ReceiptKind, Shape> = {
  incarnation: { ...AGENT, podName: optional(LABEL), podUID: optional(UID), publicKey: matches(/^[A-Za-z0-9_-]{43}$/) },
  remit: { digest: HASH, generation: count, epoch: count },
  intent: {
    ...AGENT,
    'owner.group': LABEL,
    'owner.onCall': list(LABEL, 64),
    'remit.digest': HASH,
    'remit.generation': count,
    'call.type': among('tool', 'model', 'resource', 'prompt', 'request', 'completion', 'task'),
    ...DECISION,
  },
  result: {
    intent: NAME,
    outcome: among('ok', 'error', 'cancelled', 'unreachable', 'timeout', 'invalid', 'input', 'task'),
    durationMs: (value) => typeof value === 'number' && value >= 0,
  },
  orphan: { intent: NAME },
  escalation: { code: (value) => value === 'AgentFrozen', policy: text(512), detail: SENTENCE },
  heartbeat: {},
}
/** What later decisions of the agent go by: given back to its sidecars, so it must be what they wrote. */
const FACTS: Check = (value) => isObject(value) && Object.values(value).every(list(isScalar, 10_000))
const OTHER: Shape = {
  'call.server': LABEL,
  'call.method': LABEL,
  'call.name': text(2_048),
  'call.argumentsDigest': HASH,
  'call.argumentsBytes': count,
  'call.intent': optional(NAME),
}
const CALLS: Record<string, Shape> = {
  resource: OTHER,
  prompt: OTHER,
  request: OTHER,
  completion: OTHER,
  task: OTHER,
  tool: {
    'call.server': LABEL,
    'call.tool': LABEL,
    'call.argumentsDigest': HASH,
    'call.argumentsBytes': count,
    'call.class': optional(among('Read', 'Draft', 'Write', 'SideEffect', 'Autonomous')),
    'call.facts': optional(FACTS),
  },
  model: {
    'call.model': LABEL,
    'call.method': LABEL,
    'call.path': text(2_048),
    'call.requestDigest': HASH,
    'call.requestBytes': count,
  },
}

const at = (object: JsonObject, path: string): Json | undefined => {
  let value: Json | undefined = object
  for (const key of path.split('.')) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return value
}
const misfit = (object: JsonObject, shape: Shape, prefix: string): string | undefined => {
  const path = Object.keys(shape).find((p) => !shape[p]?.(at(object, p)))
  return path && `${prefix}.${path}`
}

/**
 * Whether a parsed line is a receipt this version can hold: the path of the first field that is not what it must be,
 * or undefined. The envelope has exactly its fields; a body may have more than this version knows.
 */
export const misfitOf = (value: Json): string | undefined => {
  if (!isObject(value) || !isObject(value.envelope) || !isObject(value.body)) return 'receipt'
  const { envelope, body } = value
  const unknown = Object.keys(value).find((k) => k !== 'envelope' && k !== 'body')
  if (unknown !== undefined) return 'receipt'
  if (Object.keys(envelope).some((k) => !Object.hasOwn(ENVELOPE, k))) return 'envelope'
  const wrong = misfit(envelope, ENVELOPE, 'envelope')
  if (wrong) return wrong
  if (body.kind !== envelope.kind) return 'body.kind'
  const kind = envelope.kind as ReceiptKind
  return (
    misfit(body, BODIES[kind], 'body') ??
    (kind === 'intent' ? misfit(body, CALLS[String(at(body, 'call.type'))] ?? {}, 'body') : undefined)
  )
}

/** @throws nothing: for a value misfitOf has passed. */
export const asReceipt = (value: Json): Receipt => value as unknown as Receipt
