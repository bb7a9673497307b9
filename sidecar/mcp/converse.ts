import { MAY_ASK, type RequestId, RPC } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { GateContext } from '../context.ts'
import { UpstreamFailure } from '../upstream.ts'
import type { ServerMessage } from './answer.ts'
import type { HeldCall } from './held.ts'
import { asksFor, inputOf, ticketFor, urlsOf } from './input.ts'
import { withAdmittedUrls } from './methods/url-elicitations.ts'
import type { Admitted, Answered, Asked, RequestScene, ServerOptions, ServerPort } from './ports.ts'
import { refusalOf, underId } from './render.ts'
import { admitAnswer, withdraw } from './server-answers.ts'
import { admitRequest, gateServerRequest } from './server-requests.ts'

/** A request of the agent's that was decided, with what its server may ask meanwhile. */
export interface Conversation {
  scene: RequestScene
  port: ServerPort
  message: Asked & { id: RequestId }
  /** `onRequest`: for a modern agent, where it is not asked by the answer. */
  options: Pick<ServerOptions, 'signal' | 'traceparent' | 'onNotification'> & Partial<Pick<ServerOptions, 'onRequest'>>
}

const MAX_ASKED = 16

const NOT_NOW: Answered = { error: { code: RPC.methodNotFound, message: 'Nothing of this client can be asked now.' } }

/** By the remit of this moment: between a call and what is asked about it another may have come. */
const now = (gate: GateContext, scene: RequestScene): RequestScene => ({
  ...scene,
  inForce: gate.authority.current() ?? scene.inForce,
})

/** The answer to a request is not an answer yet, but asks the agent for something first. */
export const asksForInput = ({ message }: ServerMessage): boolean =>
  isObject(message.result) && message.result.resultType === 'input_required'

/** What a modern server asks for, each decided, with all that is needed to make the call again. */
const passInput = async (
  gate: GateContext,
  { scene, message }: Conversation,
  answer: ServerMessage,
): Promise<ServerMessage> => {
  const { id } = message
  const wanted = inputOf(answer) ?? urlsOf(answer)
  if (!wanted) return answer
  if (!MAY_ASK.has(message.method) || wanted.requests.length > MAX_ASKED)
    return refusalOf(id, RPC.internal, 'The server asks for what it may not ask for.')
  const asked: [string, Admitted][] = []
  for (const [key, request] of wanted.requests) {
    const admission = await admitRequest(gate, now(gate, scene), request)
    if ('error' in admission) {
      await withdraw(
        gate,
        scene.server.name,
        asked.map(([, admitted]) => admitted),
      )
      return refusalOf(id, RPC.internal, `The server asks for input: ${admission.error.message}`)
    }
    asked.push([key, admission.admitted])
  }
  const content = { asked: Object.fromEntries(asked), ...(wanted.state === undefined ? {} : { state: wanted.state }) }
  const state = ticketFor(gate.seal, gate.now() + gate.limits.inputMs, scene.server.name, message, content)
  if (state === undefined) return refusalOf(id, RPC.internal, 'The server asks for more than can be passed on.')
  return asksFor(id, Object.fromEntries(asked.map(([key, { request }]) => [key, request])), state)
}

/** What goes to a modern server again with the agent's answers, each decided; an error when one may not leave. */
const inputFor = async (gate: GateContext, scene: RequestScene): Promise<JsonObject | { error: string }> => {
  const { resumed } = scene.agent
  if (!resumed || 'held' in resumed.ticket) return {}
  const { asked, state } = resumed.ticket
  const responses: [string, JsonObject][] = []
  for (const [key, admitted] of Object.entries(asked)) {
    const result = resumed.responses.get(key)
    if (!result) continue
    const answered = await admitAnswer(gate, now(gate, scene), admitted, { result })
    if ('error' in answered) return { error: answered.error.message }
    responses.push([key, answered.result])
  }
  return {
    ...(responses.length > 0 ? { inputResponses: Object.fromEntries(responses) } : {}),
    ...(state === undefined ? {} : { requestState: state }),
  }
}

/** Progress of a call that one request began and another waits for: under the token of the one that waits. */
const underToken = (message: ServerMessage, token: unknown): ServerMessage | undefined => {
  if (message.message.method !== 'notifications/progress' || !isObject(message.message.params)) return message
  if (message.message.params.progressToken === token) return message
  if (typeof token !== 'string' && typeof token !== 'number') return undefined
  const renamed: JsonObject = { ...message.message, params: { ...message.message.params, progressToken: token } }
  return { message: renamed, raw: JSON.stringify(renamed) }
}

/** What comes next of a call: the answer, or what its server wants to know first. */
const follow = async (gate: GateContext, conversation: Conversation, call: HeldCall): Promise<ServerMessage> => {
  const { scene, message, options } = conversation
  const token = isObject(message.params._meta) ? message.params._meta.progressToken : undefined
  const event = await call.next(options.signal, (heard) => {
    const told = underToken(heard, token)
    if (told) options.onNotification(told)
  })
  if ('answer' in event) return passInput(gate, conversation, underId(event.answer, message.id))
  const state = ticketFor(gate.seal, gate.now() + gate.limits.inputMs, scene.server.name, message, { held: call.id })
  return asksFor(message.id, event.asked, state!)
}

/**
 * Makes a request of the agent's at a server and resolves with the answer, in the form of the agent's era. What the
 * server asks meanwhile is decided and put to the agent: to a client with a session at once, to a modern one as the
 * answer (see {@link asksForInput}), of which its next request is the continuation. Rejects as `ServerPort.request`.
 */
export const converse = async (gate: GateContext, conversation: Conversation): Promise<ServerMessage> => {
  const { scene, port, message, options } = conversation
  const { agent } = scene
  if (agent.era === 'legacy') {
    const answer = await port.request(message, {
      ...options,
      onRequest: (request, signal) => gateServerRequest(gate, now(gate, scene), request, signal),
    })
    // Its session has requests to ask by; nothing of an answer may pass for one that was decided.
    if (asksForInput(answer)) throw new UpstreamFailure('invalid', 'it asks for input where it may not', true)
    return withAdmittedUrls(gate, now(gate, scene), answer)
  }
  const { ticket } = agent.resumed ?? {}
  if (ticket && 'held' in ticket) {
    const call = gate.held.find(ticket.held)
    if (!call || call.isAttached()) return refusalOf(message.id, RPC.invalidParams, 'The call that asked is over.')
    call.answered(agent.resumed!.responses)
    return follow(gate, conversation, call)
  }
  const input = await inputFor(gate, scene)
  if ('error' in input && typeof input.error === 'string') return refusalOf(message.id, RPC.internal, input.error)
  const { inputResponses, requestState: _state, ...params } = message.params
  // What a task asks is answered by a request of its own, whose answers are decided already.
  const decided: JsonObject =
    message.method === 'tasks/update' && inputResponses !== undefined ? { inputResponses } : {}
  const request = {
    method: message.method,
    id: message.id,
    params: { ...params, ...decided, ...(input as JsonObject) },
  }
  const call = gate.held.begin(scene.server.name, ({ signal, hear, ask }) => {
    const asker: RequestScene = { ...scene, agent: { ...agent, ask } }
    return port.request(request, {
      ...options,
      signal,
      onNotification: hear,
      onRequest:
        options.onRequest ??
        (async (wanted, until) =>
          MAY_ASK.has(message.method) && gate.held.hasRoom()
            ? gateServerRequest(gate, now(gate, asker), wanted, until)
            : NOT_NOW),
    })
  })
  return follow(gate, conversation, call)
}
