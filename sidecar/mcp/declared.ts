import type { ToolDefinition } from '../../lib/api/gen/types.ts'
import type { RemitServer } from '../../lib/api/remit.ts'
import { UserError } from '../../lib/core/errors.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Json } from '../../lib/core/strict.ts'
import type { GateContext } from '../context.ts'
import { UpstreamFailure } from '../upstream.ts'
import { ASK_MS, ask } from './ask.ts'
import { within } from './forward.ts'
import type { Agent, ServerPort } from './ports.ts'

const MAX_PAGES = 50
const MAX_BYTES = 4 * 1024 * 1024
/** How often a list is asked for again that changed while it was told. */
const TRIES = 2

/** All pages of a server's list of tools; throws UpstreamFailure for more than can be a list. */
const listTools = async (port: ServerPort, signal: AbortSignal) => {
  const tools: Json[] = []
  let bytes = 0
  let cursor: Json | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const params: JsonObject = cursor === undefined ? {} : { cursor }
    const answer = await ask({ port, method: 'tools/list', params, signal })
    bytes += answer.raw.length
    const { result } = answer.message
    if (!isObject(result) || !Array.isArray(result.tools) || bytes > MAX_BYTES) break
    tools.push(...result.tools)
    cursor = result.nextCursor
    if (cursor === undefined || cursor === null) return tools
    if (typeof cursor !== 'string') break
  }
  throw new UpstreamFailure('invalid', 'the list of tools is not one', true)
}

/** Asks servers how they declare their tools; one question a session at a time, for all calls that wait for it. */
export const createDeclared = (gate: GateContext) => {
  const asking = new Map<string, Promise<void>>()

  const refresh = async (server: RemitServer, port: ServerPort) => {
    // Not the signal of one call: others wait for the same answer.
    const limit = within(ASK_MS)
    try {
      for (let tries = 0; tries < TRIES; tries++) {
        const asked = gate.definitions.moment(server)
        const tools = await listTools(port, limit.signal)
        if (gate.definitions.learn(server, tools, asked, 'whole')) return
      }
      gate.log.warn({ server: server.name }, 'the tools of a server change faster than they can be looked at')
    } catch (error) {
      if (!(error instanceof UpstreamFailure || error instanceof UserError)) throw error
      gate.log.warn({ server: server.name, reason: error.message }, 'how a server declares its tools is not known')
    } finally {
      limit.done()
    }
  }

  /**
   * The tool as its server declares it now, asked for when it is not known; undefined when it cannot be known. Rejects
   * with SessionGone when the server does not know the session.
   */
  return async (
    server: RemitServer,
    agent: Agent,
    port: ServerPort,
    tool: string,
  ): Promise<ToolDefinition | undefined> => {
    const known = gate.definitions.find(server, tool)
    if (known) return known.definition
    const key = `${server.name} ${server.url} ${agent.session?.session.upstream}`
    let refreshing = asking.get(key)
    if (!refreshing) {
      refreshing = refresh(server, port).finally(() => asking.delete(key))
      asking.set(key, refreshing)
    }
    await refreshing
    return gate.definitions.find(server, tool)?.definition
  }
}
