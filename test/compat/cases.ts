/** What is tried with every client. */
export const CASES = ['allow', 'deny', 'hidden', 'held', 'cancelled', 'slow', 'model', 'dies'] as const
export type CaseName = (typeof CASES)[number]
export const ERAS = ['legacy', 'modern'] as const
/** Of the server: by 2025-11-25 with sessions, or by 2026-07-28. */
export type Era = (typeof ERAS)[number]

/** One case as the client's script is told it. */
export interface Play {
  case: CaseName
  tool: string
  arguments: { id: CaseName; [name: string]: unknown }
  /** After that many milliseconds the client does not wait any more. */
  giveUpAfterMs?: number
  /** Agents whose framework has a model to script in the process itself ask one over HTTP instead. */
  llm?: true
}

export const SLOW_SECONDS = 8

/** In the order in which they are played: what was given up ends during the slow call, and after `dies` there is no server. */
export const PLAYS: readonly Play[] = [
  { case: 'allow', tool: 'read', arguments: { id: 'allow' } },
  { case: 'deny', tool: 'pay', arguments: { id: 'deny', amount: 500 } },
  { case: 'hidden', tool: 'erase', arguments: { id: 'hidden' } },
  { case: 'held', tool: 'send', arguments: { id: 'held' } },
  { case: 'cancelled', tool: 'count', arguments: { id: 'cancelled', seconds: 40 }, giveUpAfterMs: 5_000 },
  { case: 'slow', tool: 'count', arguments: { id: 'slow', seconds: SLOW_SECONDS } },
  { case: 'model', tool: 'read', arguments: { id: 'model' }, llm: true },
  { case: 'dies', tool: 'quit', arguments: { id: 'dies' } },
]

/** What the gate enforces while they are played. */
export const POLICY = `apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: desk}
spec:
  tools:
  - name: everyday
    match: {servers: ["desk*"], tools: [read, count, quit]}
    effect: Allow
  - name: small-payments
    match: {servers: ["desk*"], tools: [pay]}
    effect: Allow
    where: [{arg: amount, min: "0.01", max: "50.00"}]
  - name: letters-are-read-first
    match: {servers: ["desk*"], tools: [send]}
    effect: Ask
  invariants:
  - {name: never-erase, match: {tools: [erase]}}
`
export const OFFERED = ['count', 'pay', 'quit', 'read', 'send']
