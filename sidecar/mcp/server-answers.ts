import { RELATED_TASK, RPC } from '../../lib/api/mcp.ts'
import type { ResultBody } from '../../lib/api/receipt.ts'
import { sha256hex } from '../../lib/core/canonical.ts'
import { decideAnswer } from '../../lib/core/decide-other.ts'
import { UserError } from '../../lib/core/errors.ts'
import { isObject } from '../../lib/core/json-rpc.ts'
import type { RequestCall } from '../../lib/core/other-call.ts'
import { fallen } from '../../lib/core/standing.ts'
import type { InForce } from '../authority.ts'
import type { GateContext } from '../context.ts'
import { clip } from '../receipts.ts'
import { serverRedactionsIn } from '../redactions.ts'
import { ATTR } from '../telemetry.ts'
import { plainError, readResult } from './methods/answer-form.ts'
import type { Admitted, Answered, Asked, RequestScene } from './ports.ts'

export type Refusal = Extract<Answered, { error: unknown }>

export const TEXT_CHARS = 1_000

/** Servers are told that, not why: what a policy says is for those it protects. */
export const refusal = (code: number, message: string): Refusal => ({ error: { code, message } })
const WITHHELD = refusal(RPC.internal, 'The gate before this client withholds its answer.')
export const NO_ANSWER = refusal(RPC.internal, 'The client does not answer.')

export const callOf = (server: string, { method, params: { _meta, ...params } }: Asked): RequestCall => ({
  type: 'request',
  server,
  name: method,
  arguments: params,
})

/** Whether the policy redacts anything of the server: it and the agent could tell each other that too. */
export const isHidden = (inForce: InForce, server: string): boolean => {
  const { arguments: sent, recorded } = serverRedactionsIn(inForce, server)
  return sent.length + recorded.length > 0
}

/** What the server gets for the agent's answer, and what the record says of it. */
const judged = (
  gate: GateContext,
  { inForce: before, server }: RequestScene,
  { request, trace }: Admitted,
  answered: Answered,
): { told: Answered; outcome: Pick<ResultBody, 'outcome'> & Partial<ResultBody> } => {
  const withheld = (text: string) => ({ told: WITHHELD, outcome: { outcome: 'error' as const, text } })
  if ('error' in answered)
    return {
      told: plainError(answered.error),
      outcome: { outcome: 'error', text: `The client refuses (${answered.error.code}).` },
    }
  const form = readResult(request, answered.result)
  if ('problem' in form) return withheld(`MalformedRequest: ${form.problem}.`)
  const inForce = gate.authority.current() ?? before
  const over = fallen(inForce.prepared, gate.now()) ?? gate.history.frozen()
  const decision = over ?? decideAnswer(inForce.prepared, callOf(server.name, request), form.result)
  if (decision.effect !== 'Allow') return withheld(clip(`${decision.code}: ${decision.reason}`, TEXT_CHARS))
  const text = JSON.stringify(form.result)
  const hidden = isHidden(inForce, server.name)
  const task = isObject(request.params._meta) ? request.params._meta[RELATED_TASK] : undefined
  return {
    told: { result: task === undefined ? form.result : { ...form.result, _meta: { [RELATED_TASK]: task } } },
    outcome: {
      outcome: 'ok',
      resultDigest: hidden ? gate.commitments.digest({ trace, part: 'result' }, text) : sha256hex(text),
      resultBytes: Buffer.byteLength(text),
      ...(hidden ? {} : { text: clip(text, TEXT_CHARS) }),
    },
  }
}

/** Writes what came of it, once; nothing of an answer leaves that could not be recorded. */
export const concluded = async (
  gate: GateContext,
  server: string,
  { request, intent, since }: Admitted,
  { told, outcome }: ReturnType<typeof judged>,
): Promise<Answered> => {
  if (!gate.asked.closed(intent)) return NO_ANSWER
  gate.telemetry.instruments.calls.add(1, {
    [ATTR.server]: server,
    [ATTR.method]: request.method,
    [ATTR.effect]: 'Allow',
    [ATTR.outcome]: outcome.outcome,
  })
  try {
    await gate.record({ kind: 'result', intent, durationMs: Math.max(0, gate.now() - since), ...outcome })
    return told
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return NO_ANSWER
  }
}

/** Decides what the agent says to an admitted request, and writes the result; resolves with what the server may hear. */
export const admitAnswer = (
  gate: GateContext,
  scene: RequestScene,
  admitted: Admitted,
  answered: Answered,
): Promise<Answered> => concluded(gate, scene.server.name, admitted, judged(gate, scene, admitted, answered))

/** Writes that admitted requests were not put to the agent after all. */
export const withdraw = async (gate: GateContext, server: string, requests: Admitted[]): Promise<void> => {
  const outcome = { outcome: 'cancelled' as const, text: 'It was not put to the agent.' }
  for (const admitted of requests) await concluded(gate, server, admitted, { told: NO_ANSWER, outcome })
}

/** Writes that the agent was shown requests to which no answer is waited for. */
export const conclude = async (gate: GateContext, server: string, requests: Admitted[]): Promise<void> => {
  const outcome = { outcome: 'ok' as const, text: 'The agent was shown it; the server does not wait for an answer.' }
  for (const admitted of requests) await concluded(gate, server, admitted, { told: NO_ANSWER, outcome })
}
