import type { ToolClass } from './gen/types.ts'
import type { Effect, Facts, ResultBody } from './receipt.ts'

/**
 * The ledger's wire contract with sidecars: TLS, port 8443, `Authorization: Bearer <pod-bound token, audience remit-ledger>`.
 *
 * - `GET  /v1/remit`          text/event-stream; events named `remit` whose data is a SignedRemit; a comment line every 10 s.
 *                             The current one first, then each newer one within a second of its write.
 * - `POST /v1/receipts`       application/x-ndjson, one Receipt a line, in order of seq, one incarnation a request, at most
 *                             4 MiB; 200 ReceiptsAck once fsynced. Sending again what is known is harmless.
 *                             409 with code `ReceiptGap` ({expectedSeq}) or `ReceiptFork`.
 * - `POST /v1/otlp/v1/traces` and `/v1/otlp/v1/metrics`  OTLP/HTTP, JSON or protobuf, relayed to the collector.
 * - `GET  /v1/history?since=<RFC 3339>`  application/x-ndjson, one Past a line: what this agent (the token's, over all of
 *                             its pods) did since then, oldest first, and its last freeze whenever that was.
 * - `GET  /v1/frozen`         for the operator's ServiceAccount only: Freezes.
 * - `GET  /v1/counters`       for the operator's ServiceAccount only: Counters of all agents.
 * Errors: {error: {code, message}} with a code of the catalog.
 */
export interface ReceiptsAck {
  incarnation: string
  /** Highest seq that is durable. */
  seq: number
}
export interface Counters {
  /** By agentID. */
  agents: Record<
    string,
    {
      calls: number
      denied: number
      lastAction?: { at: string; what: string }
      frozen?: Freezes['agents'][string]
    }
  >
}
/** The last freeze of every agent that was ever frozen, by agentID; `at` is RFC 3339 with milliseconds. */
export interface Freezes {
  agents: Record<string, { at: string; policy: string; detail: string }>
}
export const LEDGER_PATHS = {
  remit: '/v1/remit',
  receipts: '/v1/receipts',
  otlp: '/v1/otlp',
  counters: '/v1/counters',
  history: '/v1/history',
  frozen: '/v1/frozen',
} as const
/** Bytes of one POST /v1/receipts. */
export const MAX_BATCH_BYTES = 4 * 1024 * 1024

/**
 * What limits, evidence, taint and breakers need to know of one receipt. `id` is the intent's receipt name; `at` is in
 * milliseconds since the epoch.
 */
export type Past =
  | {
      kind: 'intent'
      id: string
      at: number
      server: string
      tool: string
      effect: Effect
      class?: ToolClass
      facts?: Facts
    }
  /** A resource that was asked for, or a prompt: what limits do not count, and breakers and taint rules do. */
  | { kind: 'read'; id: string; at: number; server: string; effect: Effect }
  | { kind: 'result'; id: string; at: number; outcome: ResultBody['outcome'] | 'unknown' }
  | { kind: 'frozen'; at: number; policy: string; detail: string }
