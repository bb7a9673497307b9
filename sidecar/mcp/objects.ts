import type { RemitServer } from '../../lib/api/remit.ts'
import type { ReadObject } from '../../lib/core/decide.ts'
import { UserError } from '../../lib/core/errors.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { ObjectNeed } from '../../lib/core/rule/object.ts'
import { type Json, parseStrict } from '../../lib/core/strict.ts'
import type { InForce } from '../authority.ts'
import type { GateContext } from '../context.ts'
import { UpstreamFailure } from '../upstream.ts'
import { ask } from './ask.ts'
import { SessionGone } from './forward.ts'
import type { ServerPort } from './ports.ts'

/** For whom objects are read: the agent's own way to that server, and the trace. */
export interface Reader {
  inForce: InForce
  server: string
  port: ServerPort | undefined
  traceparent: string
  signal: AbortSignal
}

/** The object of a tool's result: its structured content, or what its first text says as JSON. */
const objectIn = (result: JsonObject): { value: Json } | { problem: string } => {
  if (result.isError === true) return { problem: 'the tool says it failed' }
  if (isObject(result.structuredContent)) return { value: result.structuredContent }
  const text = (Array.isArray(result.content) ? result.content : []).find(
    (part): part is JsonObject => isObject(part) && part.type === 'text',
  )?.text
  const parsed = typeof text === 'string' ? parseStrict(text) : undefined
  return parsed?.ok ? { value: parsed.value } : { problem: 'the answer holds no JSON' }
}

/** Reads objects that calls are about through the tools their rules name. What cannot be read is told. Rejects with SessionGone for the agent's own. */
export const createObjectReader = (gate: GateContext) => {
  const answerOf = (server: RemitServer, need: ObjectNeed, tool: string, reader: Reader) =>
    ask({
      port: server.name === reader.server && reader.port ? reader.port : gate.ports.forGate(server),
      method: 'tools/call',
      params: { name: tool, arguments: need.arguments, _meta: { traceparent: reader.traceparent } },
      signal: reader.signal,
      traceparent: reader.traceparent,
    })

  const read = async (need: ObjectNeed, reader: Reader): Promise<ReadObject> => {
    const slash = need.tool.indexOf('/')
    const server = reader.inForce.remit.servers.find(({ name }) => name === need.tool.slice(0, slash))
    if (!server) return { ...need, problem: 'the server is not declared' }
    try {
      const answer = await answerOf(server, need, need.tool.slice(slash + 1), reader)
      // As strictly as arguments: what is compared must not have been rounded, nor be one of two.
      const parsed = parseStrict(answer.raw)
      if (!parsed.ok) return { ...need, problem: 'the answer is not plain JSON' }
      const { result } = parsed.value as JsonObject
      return { ...need, ...(isObject(result) ? objectIn(result) : { problem: 'the server refuses the read' }) }
    } catch (error) {
      // Of the agent's own session it has to hear, to begin another.
      if (error instanceof SessionGone && server.name !== reader.server)
        return { ...need, problem: 'the server does not know the session' }
      if (error instanceof UpstreamFailure || error instanceof UserError)
        return { ...need, problem: error instanceof UserError ? error.message.replace(/\.$/, '') : error.message }
      throw error
    }
  }
  return (needs: ObjectNeed[], reader: Reader): Promise<ReadObject[]> =>
    Promise.all(needs.map((need) => read(need, reader)))
}
