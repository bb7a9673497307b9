import { META, MODERN_VERSION } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { type Mirrored, mirroredOf } from '../../lib/core/mirror/annotated.ts'
import type { Backend } from '../backend/backend.ts'

const HOLDS_MS = 10_000
const MAX_PAGES = 100

type Declared = Map<string, Mirrored[]>

const page = (backend: Backend, cursor: string | undefined): Promise<JsonObject | undefined> =>
  new Promise((resolve, reject) => {
    const params = {
      ...(cursor === undefined ? {} : { cursor }),
      _meta: { [META.protocolVersion]: MODERN_VERSION, [META.clientCapabilities]: {} },
    }
    backend
      .call(
        { method: 'tools/list', params },
        {
          onAnswer: (text) => {
            const { result } = JSON.parse(text) as JsonObject
            resolve(isObject(result) ? result : undefined)
          },
          onNotification: () => {},
          onLost: () => resolve(undefined),
        },
      )
      .catch(reject)
  })

const load = async (backend: Backend): Promise<Declared> => {
  const declared: Declared = new Map()
  let cursor: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const result = await page(backend, cursor)
    for (const tool of Array.isArray(result?.tools) ? result.tools : [])
      if (isObject(tool) && typeof tool.name === 'string') declared.set(tool.name, mirroredOf(tool.inputSchema) ?? [])
    if (typeof result?.nextCursor !== 'string') break
    cursor = result.nextCursor
  }
  return declared
}

/** Knows which parameters of which tool have a header of their own, from the server's list, for some seconds. */
export const createTools = (now: () => number) => {
  let loaded: Promise<Declared> | undefined
  let at = 0
  return async (backend: Backend, tool: string): Promise<Mirrored[]> => {
    if (!loaded || now() - at > HOLDS_MS) {
      loaded = load(backend)
      at = now()
      loaded.catch(() => {
        loaded = undefined
      })
    }
    return (await loaded).get(tool) ?? []
  }
}
