import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RemitModel } from '../../lib/api/remit.ts'
import { describe } from '../../lib/core/errors.ts'
import type { InForce } from '../authority.ts'
import { readBody, refuseBody } from '../body.ts'
import type { GateContext } from '../context.ts'
import { urlBelow } from './asked.ts'
import { errorBody, refusing } from './refusal.ts'

/** A request of the agent's to one of its models, read; nothing of it is decided yet. */
export interface ModelRequest {
  inForce: InForce
  model: RemitModel
  method: 'GET' | 'POST'
  /** Below the model's own. */
  url: URL
  /** As it is recorded. */
  path: string
  body: Buffer
}

/** Reads a request to `/llm/<name><rest><query>`; undefined when it is none, and was answered so. */
export const readModelRequest = async (
  gate: GateContext,
  request: IncomingMessage,
  response: ServerResponse,
  { name, rest, query }: { name: string; rest: string; query: string },
): Promise<ModelRequest | undefined> => {
  const refuse = refusing(response)
  const inForce = gate.authority.current()
  if (!inForce) return refuse(503, undefined, 'NoRemit', describe('NoRemit').message)
  const model = inForce.remit.models.find((candidate) => candidate.name === name)
  if (!model)
    return refuse(404, undefined, 'UnknownModel', describe('UnknownModel', { model: name.slice(0, 63) }).message)
  const { api } = model
  const url = urlBelow(model.url, rest, query)
  const malformed = (status: number, detail: string) =>
    refuse(status, api, 'MalformedRequest', describe('MalformedRequest', { detail }).message)
  if (!url) return malformed(400, 'the path leaves the model or is too long')
  const { method } = request
  if (method !== 'GET' && method !== 'POST') return malformed(405, 'only GET and POST are passed on')
  const limit = gate.limits.modelRequestBytes
  const body = await readBody(request, response, limit, gate.bytes)
  if (body) return { inForce, model, method, url, path: rest + query, body }
  const { message } = describe('RequestTooLarge', { limit: `${limit} bytes` })
  refuseBody(request, response, 413, errorBody(api, 'RequestTooLarge', message))
  return undefined
}
