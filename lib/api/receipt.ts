import type { Stamp } from './gen/types.ts'

export type ReceiptKind = 'incarnation' | 'remit' | 'intent' | 'result' | 'orphan' | 'heartbeat'

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
export type ReceiptBody = IncarnationBody | RemitBody | IntentBody | ResultBody | OrphanBody | HeartbeatBody

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
  trace?: { traceId: string; spanId: string }
}
export type CallRecord =
  | {
      type: 'tool'
      server: string
      tool: string
      /** SHA-256 (hex) of the exact bytes of `params.arguments` forwarded. */
      argumentsDigest: string
      argumentsBytes: number
      /** Absent when the receipt would exceed 16 KB; then only the digest stands. */
      arguments?: unknown
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
  outcome: 'ok' | 'error' | 'cancelled' | 'unreachable' | 'timeout' | 'invalid'
  durationMs: number
  resultDigest?: string
  resultBytes?: number
  /** The first 1,000 characters of the result's first text. */
  text?: string
  model?: { responseModel?: string; inputTokens?: number; outputTokens?: number; status: number }
}
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
