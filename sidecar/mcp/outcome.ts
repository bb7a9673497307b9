import { type RequestId, RPC } from '../../lib/api/mcp.ts'
import type { ResultBody } from '../../lib/api/receipt.ts'
import { sha256hex } from '../../lib/core/canonical.ts'
import { describe, type ErrorCode, UserError } from '../../lib/core/errors.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { Step } from '../../lib/core/path.ts'
import type { Redactions } from '../../lib/core/redact.ts'
import type { Json } from '../../lib/core/strict.ts'
import { clip, firstText } from '../receipts.ts'
import { UpstreamFailure } from '../upstream.ts'
import type { ServerMessage } from './answer.ts'
import { FAILURE_CODES, SessionGone } from './forward.ts'
import { rpcError, toolError } from './messages.ts'
import type { KnownTask } from './methods/known-tasks.ts'
import { withhold } from './withhold.ts'

/** What came of a call: for the record, and for the agent once that is written. */
export interface Finished {
  outcome: Pick<ResultBody, 'outcome'> & Partial<ResultBody>
  answer: (receipt: string) => string | JsonObject
  status?: number
  /** The span's error word. */
  error?: string
  /** It is a task, of this id: the server goes on by itself, or `came` is what it came to already. */
  task?: string
  came?: KnownTask['came']
}

/**
 * A call without a usable answer; what is not one of the ways to the server failing is thrown on.
 * @param tell how the agent is told
 */
export const failed = (
  id: RequestId,
  server: string,
  error: unknown,
  idleMs: number,
  tell: typeof toolError = toolError,
): Finished => {
  const told = (code: ErrorCode, message: string) => (receipt: string) => tell(id, { code, message, receipt })
  if (error instanceof SessionGone)
    return {
      outcome: { outcome: 'error', text: 'The server does not know the session; the call was not made.' },
      answer: () => rpcError(id, RPC.session, 'UnknownSession'),
      status: 404,
      error: 'session',
    }
  if (error instanceof UserError)
    return {
      outcome: { outcome: 'unreachable', text: error.message },
      answer: told(error.code, error.message),
      error: error.code,
    }
  if (!(error instanceof UpstreamFailure)) throw error
  const code = FAILURE_CODES[error.kind]
  const { message, remedy } = describe(code, { server, detail: error.message, seconds: idleMs / 1000 })
  const unsure = error.kind === 'unreachable' && error.sent ? ' Whether the call took effect is unknown.' : ''
  const advice = error.kind === 'timeout' || error.kind === 'invalid' ? ` ${remedy}` : unsure
  return {
    outcome: { outcome: error.kind, text: clip(message + unsure, 1_000) },
    answer: told(code, message + advice),
    error: error.kind,
  }
}

/** How an answer of some kind is looked through, and which of its texts a timeline shows. */
export interface AnswerKind {
  withhold: typeof withhold
  text: (result: JsonObject) => string | undefined
}
const CALL: AnswerKind = { withhold, text: firstText }

/**
 * A call the server answered. What the policy withholds of the answer is in neither the record nor, unless it only
 * observes, what the agent gets; then the digest is of what stands in the record's place.
 */
export const succeeded = (
  { message, raw }: ServerMessage,
  redactions: Redactions,
  commit: (where: string, value: Json) => Json,
  kind: AnswerKind = CALL,
): Finished => {
  const hidden = redactions.recorded.length > 0
  const guarded = (paths: Step[][]) => looked(() => kind.withhold(message, paths, commit))
  const shown = hidden ? guarded(redactions.recorded) : message
  const text = hidden ? JSON.stringify(shown) : raw
  const passed =
    redactions.results.length === redactions.recorded.length
      ? text
      : redactions.results.length > 0
        ? JSON.stringify(guarded(redactions.results))
        : raw
  const result = shown.result as JsonObject | undefined
  const rejected = shown.error as { code?: unknown; message?: unknown } | undefined
  const first = rejected ? clip(String(rejected.message ?? ''), 1_000) : result && kind.text(result)
  const isError = rejected !== undefined || result?.isError === true
  return {
    outcome: {
      outcome: isError ? 'error' : 'ok',
      resultDigest: sha256hex(text),
      resultBytes: Buffer.byteLength(text),
      ...(first === undefined ? {} : { text: first }),
    },
    answer: () => passed,
    ...(isError ? { error: rejected ? String(rejected.code) : 'tool_error' } : {}),
  }
}

/** Nothing of an answer passes that cannot be looked through to its end (one nested too deep, say). */
const looked = (through: () => JsonObject): JsonObject => {
  try {
    return through()
  } catch {
    throw new UpstreamFailure('invalid', 'the result cannot be looked through for what is withheld', true)
  }
}
