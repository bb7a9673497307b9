import type { Attributes, Span } from '@opentelemetry/api'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { GateContext } from '../context.ts'
import { ATTR, endSpan, errorType, OVER_HTTP, parentContext, SpanKind, startSpan } from '../telemetry.ts'
import type { Message } from './messages.ts'
import type { Agent } from './ports.ts'
import { sessionLabel } from './sessions.ts'

/** A word of the error catalog: why the gate itself did not make a call. */
const isCode = (word: string): boolean => /^[A-Z]/.test(word)

/** How the conventions say what the agent got: JSON-RPC's code, `tool_error` for a tool's result that is one, or a word. */
const errorOf = (given: string | undefined, tool: string | undefined): Attributes => {
  if (given === undefined) return {}
  const word = errorType(given)
  if (/^-?\d+$/.test(word)) return { [ATTR.error]: word, [ATTR.rpcStatus]: word }
  const code = isCode(word) ? { [ATTR.code]: word } : {}
  const isResult = tool !== undefined && !['session', 'cancelled', '_OTHER'].includes(word)
  return { ...code, [ATTR.error]: isResult ? 'tool_error' : word }
}

/** Does the work of one request in a server span, below the agent's own where it names one. */
export const traced = async (
  gate: GateContext,
  message: Extract<Message, { kind: 'request' }>,
  about: {
    agent?: Agent | undefined
    /** The request's traceparent header; the one in `_meta` goes before it. */
    traceparent: string | undefined
    tool?: string
  },
  work: (span: Span) => Promise<string | undefined>,
): Promise<void> => {
  const { agent, tool } = about
  const began = gate.now()
  const meta = message.params?._meta as JsonObject | undefined
  const measured: Attributes = {
    [ATTR.method]: message.method,
    ...(tool ? { [ATTR.operation]: 'execute_tool' } : {}),
    ...(agent ? { [ATTR.protocol]: agent.version } : {}),
    ...OVER_HTTP,
  }
  const span = startSpan(
    gate.telemetry.tracer,
    tool ? `${message.method} ${tool}` : message.method,
    SpanKind.SERVER,
    {
      ...measured,
      ...(tool ? { [ATTR.tool]: tool } : {}),
      [ATTR.requestId]: String(message.id),
      ...(agent?.session ? { [ATTR.session]: sessionLabel(agent.session.id) } : {}),
    },
    parentContext(meta?.traceparent, about.traceparent),
  )
  let word: string | undefined = '_OTHER'
  try {
    word = await work(span)
  } finally {
    const failure = errorOf(word, tool)
    const error = failure[ATTR.error]
    endSpan(span, failure, error === undefined ? undefined : String(error))
    gate.telemetry.instruments.server.record((gate.now() - began) / 1000, {
      ...measured,
      // Of calls that were made: a denied one may be of a name that the agent made up.
      ...(tool && !(word && isCode(word)) ? { [ATTR.tool]: tool } : {}),
      ...(error ? { [ATTR.error]: error } : {}),
    })
  }
}
