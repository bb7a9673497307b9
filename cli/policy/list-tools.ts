import type { ToolDefinition } from '../../lib/api/gen/types.ts'
import { HEADER, LEGACY_VERSIONS, MODERN_VERSION } from '../../lib/api/mcp.ts'
import { VERSION } from '../../lib/api/version.ts'
import { discovery, introduction, isModernAnswer, isModernError, PROBE_MS } from '../../lib/core/era.ts'
import { UserError } from '../../lib/core/errors.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { mirroredOf } from '../../lib/core/mirror/annotated.ts'
import { mirror } from '../../lib/core/mirror/mirror.ts'
import { type Answered, createServerWire, type Question, type ServerWire } from './server-wire.ts'

const TIMEOUT_MS = 30_000
/** The gate reads no more of a list either, and takes one that goes on for none. */
const MAX_PAGES = 50
const CLIENT = { name: 'remit', version: VERSION }

/** A way to ask one server, in the era it speaks. */
interface Asker {
  ask: (method: string, params: JsonObject) => Promise<JsonObject>
  /** What of its tools a client may go by. */
  usable: (tool: ToolDefinition) => boolean
  leave: () => Promise<void>
}

export interface ListedTools {
  tools: ToolDefinition[]
  /** Names of those whose definitions ask for headers that may not be: no client of 2026-07-28 uses them, nor does the gate. */
  unusable: string[]
}

const resultOf = (wire: ServerWire, method: string, { status, message }: Answered): JsonObject => {
  const said = message && isObject(message.error) ? String(message.error.message) : undefined
  if (status < 200 || status > 299)
    throw wire.invalid(`HTTP ${status} to ${method}${said === undefined ? '' : `, with: ${said}`}`)
  if (said !== undefined) throw wire.invalid(`${method} was answered with: ${said}`)
  if (!message || !isObject(message.result)) throw wire.invalid(`${method} was answered without a result`)
  return message.result
}

const modernHeaders = (question: Question) => ({ [HEADER.version]: MODERN_VERSION, ...mirror(question) })

/** By the answer the gate goes by, so that what is pinned is what it will see of a server that speaks both eras. */
const isModern = async (wire: ServerWire, signal: AbortSignal): Promise<boolean> => {
  const question = discovery(CLIENT)
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)])
    const { status, message } = await wire.ask(question, modernHeaders(question), limit)
    return message !== undefined && (status === 200 ? isModernAnswer(message) : isModernError(message.error))
  } catch {
    // Servers of before 2026-07-28 may do anything with what they do not know; what else is wrong `initialize` meets too.
    return false
  }
}

const stateless = (wire: ServerWire, signal: AbortSignal): Asker => ({
  ask: async (method, params) => {
    const question = { method, params: { ...params, _meta: introduction(CLIENT) } }
    return resultOf(wire, method, await wire.ask(question, modernHeaders(question), signal))
  },
  usable: ({ inputSchema }) => mirroredOf(inputSchema) !== undefined,
  leave: async () => {},
})

const inSession = async (wire: ServerWire, signal: AbortSignal): Promise<Asker> => {
  const headers: Record<string, string> = {}
  const ask = async (method: string, params: JsonObject) => {
    const answered = await wire.ask({ method, params }, headers, signal)
    if (answered.session !== undefined) headers[HEADER.session] = answered.session
    return resultOf(wire, method, answered)
  }
  const hello = await ask('initialize', {
    protocolVersion: LEGACY_VERSIONS[0],
    capabilities: {},
    clientInfo: CLIENT,
  })
  headers[HEADER.version] = String(hello.protocolVersion)
  await wire.tell({ method: 'notifications/initialized' }, headers, signal)
  return {
    ask,
    usable: () => true,
    leave: async () => {
      if (headers[HEADER.session] !== undefined) await wire.tell(undefined, headers, signal)
    },
  }
}

const allPages = async (wire: ServerWire, { ask, usable }: Asker): Promise<ListedTools> => {
  const tools: ToolDefinition[] = []
  const unusable: string[] = []
  let params: JsonObject = {}
  for (let page = 0; page < MAX_PAGES; page++) {
    const { tools: listed, nextCursor } = await ask('tools/list', params)
    if (!Array.isArray(listed)) throw wire.invalid('tools/list was answered without tools')
    for (const tool of listed) {
      if (!isObject(tool) || typeof tool.name !== 'string') throw wire.invalid('it lists a tool without a name')
      if (usable(tool)) tools.push(tool)
      else unusable.push(tool.name)
    }
    if (nextCursor === undefined || nextCursor === null) return { tools, unusable }
    if (typeof nextCursor !== 'string') throw wire.invalid('the cursor of the next page is not a string')
    params = { cursor: nextCursor }
  }
  throw wire.invalid(`more than ${MAX_PAGES} pages of tools`)
}

/**
 * The tools that an MCP server lists now, all pages of them, each as the server wrote it: the official client leaves
 * out what it does not know, of annotations for one, and a digest is of what is there.
 * @param token sent as bearer
 * @throws UserError UpstreamUnreachable, UpstreamInvalid, UpstreamTimeout
 */
export const listTools = async (server: string, url: string, token?: string): Promise<ListedTools> => {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const wire = createServerWire(server, url, token)
  try {
    const asker = (await isModern(wire, signal)) ? stateless(wire, signal) : await inSession(wire, signal)
    const listed = await allPages(wire, asker)
    await asker.leave()
    return listed
  } catch (error) {
    if (error instanceof UserError) throw error
    if (signal.aborted) throw new UserError('UpstreamTimeout', { server, seconds: TIMEOUT_MS / 1000 })
    const { message, cause } = error as Error & { cause?: { code?: string; message?: string } }
    throw new UserError('UpstreamUnreachable', { server, detail: cause?.code ?? cause?.message ?? message })
  }
}
