import type { Stamp, ToolClass } from './gen/types.ts'

export type ReceiptKind = 'incarnation' | 'remit' | 'intent' | 'result' | 'orphan' | 'escalation' | 'heartbeat'

/**
 * The hash-only leaf. `prev` is the SHA-256 (hex) of the RFC 8785 form of the envelope before it in the same
 * incarnation ("" for seq 0); `sig` is Ed25519 (base64url) over the RFC 8785 form of the envelope without `sig`.
 */
export interface Envelope {
  v: 1
  kind: ReceiptKind
  /** agentID: the AgentIdentity's UID */
  agent: string
  /** One container start: the first 12 hex digits of SHA-256 over the raw public key. */
  incarnation: string
  /** The remit's operator epoch in force. */
  epoch: number
  seq: number
  prev: string
  /** RFC 3339 with milliseconds, by the sidecar's clock. */
  time: string
  /** SHA-256 (hex) of the RFC 8785 form of the body. */
  body: string
  sig: string
}

export interface Receipt {
  envelope: Envelope
  body: ReceiptBody
}
export type ReceiptBody =
  | IncarnationBody
  | RemitBody
  | IntentBody
  | ResultBody
  | OrphanBody
  | EscalationBody
  | HeartbeatBody

/** Always seq 0. */
export interface IncarnationBody {
  kind: 'incarnation'
  agent: { id: string; namespace: string; name: string }
  podName?: string
  podUID?: string
  node?: string
  /** Ed25519, raw, base64url. */
  publicKey: string
  sidecar: { version: string; image?: string }
  /** The incarnation before this one on the same spool, and its last envelope's hash. */
  previous?: { incarnation: string; seq: number; hash: string }
}
/** A new remit came into force. */
export interface RemitBody {
  kind: 'remit'
  digest: string
  generation: number
  epoch: number
}
export interface IntentBody {
  kind: 'intent'
  agent: { id: string; namespace: string; name: string; createdBy: Stamp }
  owner: { group: string; onCall: string[] }
  remit: { digest: string; generation: number }
  call: CallRecord
  /** As the agent states them in `_meta["dev.remit/task"]` and `["dev.remit/reason"]`; not verified. */
  stated?: { task?: string; reason?: string }
  decision: DecisionRecord
  /** The object a write is about, as it was read before: the read's tool and the SHA-256 (hex) of its result. */
  object?: { read: string; digest: string }
  trace?: { traceId: string; spanId: string }
}
export type CallRecord =
  | {
      type: 'tool'
      server: string
      tool: string
      /**
       * SHA-256 (hex) of the exact bytes of `params.arguments` forwarded. Where arguments are redacted, of a 32-byte
       * salt that stays in the sidecar and those bytes (`salted`): else it could be guessed back.
       */
      argumentsDigest: string
      salted?: true
      argumentsBytes: number
      /**
       * Absent when the receipt would exceed 16 KB; then only the digest stands. A redacted value is
       * {"dev.remit/commitment": "sha256:<hex>"}.
       */
      arguments?: unknown
      /** Class of the tool at this call; absent when nothing gives it one. */
      class?: ToolClass
      /** What limits and evidence will want to know of this call later; see lib/core/history. */
      facts?: Facts
    }
  | {
      type: 'model'
      model: string
      method: string
      path: string
      requestDigest: string
      requestBytes: number
      requestedModel?: string
    }
  | OtherCallRecord
/**
 * What is neither a call of a tool nor of a model. Of a `request`, which a server makes of the agent, the intent is
 * written before the agent sees it, and the result once its answer went to the server (ok) or was refused (error, with
 * the code in `text`).
 */
export interface OtherCallRecord {
  type: 'resource' | 'prompt' | 'request' | 'completion' | 'task'
  server: string
  /** As MCP names it: resources/read, resources/subscribe, prompts/get, completion/complete, sampling/createMessage ... */
  method: string
  /** URI of the resource, name of the prompt, what is completed, the method of a request, id of the task. */
  name: string
  /** As of a tool's arguments: over what is decided, `{uri}` of a resource, the params of a request. */
  argumentsDigest: string
  argumentsBytes: number
  salted?: true
  arguments?: unknown
  /** Of a task: receipt name of the call that began it. */
  intent?: string
}
export type Effect = 'Allow' | 'Draft' | 'Ask' | 'Deny'
export interface DecisionRecord {
  effect: Effect
  /** A code of the error catalog for everything but Allow. */
  code?: string
  rule?: string
  policy?: string
  /** One plain sentence the model can act on. */
  reason: string
  /** What an Observe policy would have done, when it differs. */
  observed?: { effect: Effect; rule?: string; policy?: string; reason: string }
}
export interface ResultBody {
  kind: 'result'
  /** Receipt name of the intent. */
  intent: string
  /**
   * `input`: the server asks for something first and did nothing yet; a retry is a call of its own. `task`: it goes on by
   * itself, and its end is in receipts of type task.
   */
  outcome: 'ok' | 'error' | 'cancelled' | 'unreachable' | 'timeout' | 'invalid' | 'input' | 'task'
  durationMs: number
  resultDigest?: string
  resultBytes?: number
  /** The first 1,000 characters of the result's first text. */
  text?: string
  /** What a write changed of its object, by path, redacted as results are; at most 100 paths. */
  changed?: { path: string; old?: unknown; new?: unknown }[]
  model?: { responseModel?: string; inputTokens?: number; outputTokens?: number; status: number }
}
/** A breaker opened: the agent is frozen until a person unfreezes it. */
export interface EscalationBody {
  kind: 'escalation'
  code: 'AgentFrozen'
  /** The policy whose breaker it is. */
  policy: string
  /** A phrase without full stop: "5 calls in a row failed". */
  detail: string
}
/**
 * Values of a call by path ("amount", "to[*]"), in order. A text of more than 128 characters is "sha256:<hex>" of its
 * UTF-8 bytes.
 */
export type Facts = Record<string, (string | number | boolean)[]>
/** The sidecar ended between intent and result; whether the call took effect is unknown. */
export interface OrphanBody {
  kind: 'orphan'
  intent: string
}
export interface HeartbeatBody {
  kind: 'heartbeat'
}

/** The name a person sees: `<incarnation>-<seq>`; also the name in `kubectl get receipts`. */
export const receiptName = (e: Pick<Envelope, 'incarnation' | 'seq'>): string => `${e.incarnation}-${e.seq}`
