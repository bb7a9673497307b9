import { randomUUID } from 'node:crypto'
import { RELATED_TASK, RPC } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { GateContext } from '../context.ts'
import { clip } from '../receipts.ts'
import { ATTR, below, endSpan, parentContext, SpanKind, startSpan } from '../telemetry.ts'
import { UpstreamFailure } from '../upstream.ts'
import { offeredToServer } from './capabilities.ts'
import { within } from './forward.ts'
import { beginOther, traceOf } from './methods/other.ts'
import { readRequest } from './methods/request-form.ts'
import type { Admitted, Agent, Answered, Asked, RequestScene } from './ports.ts'
import {
  admitAnswer,
  callOf,
  concluded,
  isHidden,
  NO_ANSWER,
  type Refusal,
  refusal,
  TEXT_CHARS,
} from './server-answers.ts'

/** Longest a person or model may take to answer. */
const ANSWER_MS = 10 * 60_000

const NOT_PASSED = refusal(RPC.methodNotFound, 'The gate before this client does not pass this request on.')
// As the protocol has a user's refusal: the client could do it, and does not want to.
const NOT_ALLOWED = refusal(-1, 'The policy of this client does not allow this request.')
/** A phrase for why nobody may be asked this now; undefined when somebody may. */
const untimely = (gate: GateContext, server: string, method: string, task: unknown): string | undefined => {
  if (task !== undefined) {
    const id = isObject(task) && typeof task.taskId === 'string' ? task.taskId : ''
    const known = gate.tasks.find(server, id)
    return known && !known.ended ? undefined : 'it is about a task that is none of this agent'
  }
  // Whoever is asked out of the blue cannot know what for.
  return method === 'roots/list' || gate.asked.isBusy(server) ? undefined : 'nothing of the agent is under way there'
}

/** Clients of the older revisions are shown no URL without an id; servers of the newer give none. */
const withId = ({ era }: Agent, params: JsonObject): JsonObject =>
  era === 'legacy' && params.mode === 'url' && params.elicitationId === undefined
    ? { ...params, elicitationId: randomUUID() }
    : params

/**
 * Decides a server's request and writes its intent; then it may be put to the agent. What is not MCP, not for this
 * client, untimely or too much is only counted, so that a server cannot fill the record.
 */
export const admitRequest = async (
  gate: GateContext,
  { inForce, server, agent, span: outer }: RequestScene,
  request: Asked,
): Promise<{ admitted: Admitted } | Refusal> => {
  // A server that asks for what it was not told of is not even heard.
  const form = readRequest(request, offeredToServer(inForce, server.name, agent.capabilities))
  const problem =
    'problem' in form
      ? form.problem
      : (untimely(gate, server.name, request.method, form.meta[RELATED_TASK]) ??
        (gate.asked.admits(server.name) ? undefined : 'it asks too much'))
  if (problem !== undefined || 'problem' in form) {
    gate.telemetry.instruments.refusals.add(1, { 'remit.direction': 'server' })
    gate.log.info(
      { server: server.name, method: request.method.slice(0, 64), problem },
      'a request of a server was refused',
    )
    return NOT_PASSED
  }
  const { params, meta } = form
  const labels = { [ATTR.server]: server.name, [ATTR.method]: request.method }
  const span = startSpan(
    gate.telemetry.tracer,
    request.method,
    SpanKind.CLIENT,
    { ...labels, [ATTR.transport]: 'tcp' },
    outer ? below(outer) : parentContext(),
  )
  const call = callOf(server.name, { method: request.method, params })
  const begun = await beginOther(gate, {
    span,
    server: server.name,
    method: request.method,
    about: { type: 'request', name: request.method },
    args: params,
    hidden: (by) => (isHidden(by, server.name) ? [[]] : []),
    decide: () => gate.history.weigh(call),
  })
  endSpan(span, {}, begun.is === 'allowed' ? undefined : begun.code)
  if (begun.is === 'unrecorded') return NO_ANSWER
  if (begun.is === 'refused') return NOT_ALLOWED
  const shown = withId(agent, params)
  if (typeof shown.elicitationId === 'string') gate.asked.shown(server.name, shown.elicitationId)
  const asked = { method: request.method, params: Object.keys(meta).length > 0 ? { ...shown, _meta: meta } : shown }
  gate.asked.opened(begun.intent)
  return { admitted: { request: asked, intent: begun.intent, trace: traceOf(span), since: begun.began } }
}

/** A server's request from its arrival to what the server is told: decided, recorded, asked, decided, recorded. */
export const gateServerRequest = async (
  gate: GateContext,
  scene: RequestScene,
  request: Asked,
  signal: AbortSignal,
): Promise<Answered> => {
  const asked = await admitRequest(gate, scene, request)
  if ('error' in asked) return asked
  const { admitted } = asked
  const limit = within(ANSWER_MS, signal)
  try {
    const answered = await gate.asked.waiting(scene.server.name, () => scene.agent.ask(admitted.request, limit.signal))
    return await admitAnswer(gate, scene, admitted, answered)
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) throw error
    return concluded(gate, scene.server.name, admitted, {
      told: NO_ANSWER,
      outcome: { outcome: error.kind, text: clip(error.message, TEXT_CHARS) },
    })
  } finally {
    limit.done()
  }
}
