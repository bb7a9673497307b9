import type { RemitServer } from '../../../lib/api/remit.ts'
import { isObject } from '../../../lib/core/json-rpc.ts'
import { type Mirrored, mirroredOf } from '../../../lib/core/mirror/annotated.ts'

const MAX_TOOLS = 5_000

/** Which arguments of which tools are repeated in headers, as the servers' lists said last. */
export interface ParamHeaders {
  /** Takes what a page of a list says. */
  learn: (server: RemitServer, tools: unknown) => void
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
    learn: (server, tools) => {
      for (const tool of Array.isArray(tools) ? tools : []) {
        if (!isObject(tool) || typeof tool.name !== 'string') continue
        const key = keyOf(server, tool.name)
        // Of a definition that asks for what may not be, nothing is repeated: the server refuses or does without.
        keep(key, mirroredOf(tool.inputSchema) ?? [])
      }
    },
    of: (server, tool) => known.get(keyOf(server, String(tool))),
    none: (server, tool) => keep(keyOf(server, tool), []),
    forget: (server, tool) => void known.delete(keyOf(server, tool)),
  }
}
