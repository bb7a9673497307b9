import { MAY_ASK, RPC } from '../../lib/api/mcp.ts'
import { canonical, sha256hex } from '../../lib/core/canonical.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Json } from '../../lib/core/strict.ts'
import type { ServerMessage } from './answer.ts'
import type { Admitted, Asked } from './ports.ts'
import { answerOf } from './render.ts'
import type { Seal } from './seal.ts'

const PURPOSE = 'input'
const MAX_STATE = 1024 * 1024

/**
 * What goes to a modern agent as `requestState`, sealed: which call asks, until when, and either the name of the open
 * call here or all that is needed to make it again.
 */
export type Ticket = { server: string; call: string; until: number } & (
  | { held: string }
  | { state?: string; asked: { [key: string]: Admitted } }
)
export interface Resumed {
  ticket: Ticket
  /** What the agent answers, by the key it was asked under. */
  responses: ReadonlyMap<string, JsonObject>
}

/** What a call is about, apart from what was asked about it and what only belongs to the message. */
const callDigest = ({ method, params: { name, uri, arguments: args } }: Asked): string =>
  sha256hex(canonical({ method, about: [name ?? null, uri ?? null, args ?? {}] }))

/** `requestState` for an answer to this call; undefined when it would be larger than an agent should have to send. */
export const ticketFor = (
  seal: Seal,
  until: number,
  server: string,
  call: Asked,
  content: { held: string } | { state?: string; asked: { [key: string]: Admitted } },
): string | undefined => {
  const ticket: Ticket = { server, call: callDigest(call), until, ...content }
  const text = seal.close(PURPOSE, ticket as unknown as Json)
  return text.length > MAX_STATE ? undefined : text
}

/** What a request of a modern client resumes; undefined when nothing, a phrase when it cannot. */
export const resumedBy = (seal: Seal, now: number, server: string, call: Asked): Resumed | string | undefined => {
  const { requestState, inputResponses } = call.params
  // What a task asks is answered by a request of its own.
  if (call.method === 'tasks/update' && requestState === undefined) return undefined
  if (requestState === undefined && inputResponses === undefined) return undefined
  if (!MAY_ASK.has(call.method)) return `${call.method} asks for no input`
  if (requestState === undefined) return 'params.inputResponses answer nothing that was asked'
  if (typeof requestState !== 'string') return 'params.requestState must be a string'
  if (inputResponses !== undefined && !isObject(inputResponses)) return 'params.inputResponses must be an object'
  const ticket = seal.open(PURPOSE, requestState) as unknown as Ticket | undefined
  if (!ticket) return 'params.requestState is none of this server'
  if (ticket.server !== server || ticket.call !== callDigest(call)) return 'params.requestState is of another call'
  if (ticket.until < now) return 'params.requestState is too old'
  const responses = new Map<string, JsonObject>()
  for (const [key, response] of Object.entries(inputResponses ?? {})) {
    if (!isObject(response)) return 'each of params.inputResponses must be an object'
    responses.set(key, response)
  }
  return { ticket, responses }
}

/** What a server asks for instead of answering. */
interface Wanted {
  requests: [string, Asked][]
  state: string | undefined
}

/** The URLs that a server of 2025-11-25 wants opened first, as what 2026-07-28 asks for. */
export const urlsOf = ({ message }: ServerMessage): Wanted | undefined => {
  const { error } = message
  if (!isObject(error) || error.code !== RPC.urlElicitationRequired) return undefined
  const listed = isObject(error.data) && Array.isArray(error.data.elicitations) ? error.data.elicitations : []
  return {
    requests: listed.map((params, index) => [
      `${index + 1}`,
      { method: 'elicitation/create', params: isObject(params) ? params : {} },
    ]),
    state: undefined,
  }
}

/** What a modern server asks for instead of answering; undefined when it answers. */
export const inputOf = ({ message }: ServerMessage): Wanted | undefined => {
  const { result } = message
  if (!isObject(result) || result.resultType !== 'input_required') return undefined
  const asked = isObject(result.inputRequests) ? result.inputRequests : {}
  return {
    requests: Object.entries(asked).map(([key, request]) => [
      key,
      {
        method: isObject(request) ? String(request.method) : '',
        params: isObject(request) && isObject(request.params) ? request.params : {},
      },
    ]),
    state: typeof result.requestState === 'string' ? result.requestState : undefined,
  }
}

/** The modern revision has no ids of elicitations: that one is done is told by making the call again. */
export const asModernRequest = ({ method, params: { elicitationId: _id, ...params } }: Asked): Asked => ({
  method,
  params,
})

/** An answer that asks for input. */
export const asksFor = (id: string | number, asked: { [key: string]: Asked }, requestState: string): ServerMessage => {
  const requests = Object.entries(asked).map(([key, request]) => [key, asModernRequest(request)])
  return answerOf(id, {
    result: {
      resultType: 'input_required',
      ...(requests.length > 0 ? { inputRequests: Object.fromEntries(requests) as unknown as JsonObject } : {}),
      requestState,
    },
  })
}
