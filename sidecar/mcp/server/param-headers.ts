import type { RemitServer } from '../../../lib/api/remit.ts'
import { isObject } from '../../../lib/core/json-rpc.ts'
import { type Mirrored, mirroredOf } from '../../../lib/core/mirror/annotated.ts'
import type { Json } from '../../../lib/core/strict.ts'

const MAX_TOOLS = 5_000

/** Which arguments of which tools are repeated in headers, as the servers' lists said last. */
export interface ParamHeaders {
  /** Takes what a page of a list says; gives what a client may go by of it: no tool that asks for what may not be. */
  learn: (server: RemitServer, tools: Json[]) => Json[]
  /** Undefined when no list of this server had the tool. */
  of: (server: RemitServer, tool: unknown) => Mirrored[] | undefined
  /** The server's list does not have the tool. */
  none: (server: RemitServer, tool: string) => void
  /** What was learned of the tool is not so any more. */
  forget: (server: RemitServer, tool: string) => void
}

export const createParamHeaders = (): ParamHeaders => {
  const known = new Map<string, Mirrored[]>()
  const keyOf = ({ name, url }: RemitServer, tool: string) => `${name} ${url} ${tool}`
  const keep = (key: string, mirrored: Mirrored[]) => {
    if (known.size >= MAX_TOOLS && !known.has(key)) known.delete(known.keys().next().value!)
    known.set(key, mirrored)
  }
  return {
    learn: (server, tools) =>
      tools.filter((tool) => {
        if (!isObject(tool) || typeof tool.name !== 'string') return true
        const mirrored = mirroredOf(tool.inputSchema)
        // An agent may still know the name: then the server refuses the call or does without.
        keep(keyOf(server, tool.name), mirrored ?? [])
        return mirrored !== undefined
      }),
    of: (server, tool) => known.get(keyOf(server, String(tool))),
    none: (server, tool) => keep(keyOf(server, tool), []),
    forget: (server, tool) => void known.delete(keyOf(server, tool)),
  }
}
