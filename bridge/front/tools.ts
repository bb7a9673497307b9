import { setTimeout as pause } from 'node:timers/promises'
import { META, MODERN_VERSION } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { type Mirrored, mirroredOf } from '../../lib/core/mirror/annotated.ts'
import type { Backend } from '../backend/backend.ts'

const HOLDS_MS = 10_000
const MAX_PAGES = 100
/** A server that works at another call may tell nothing until that is done; this one must not wait for it. */
const WAIT_MS = 1_500

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

/** Undefined when it did not come to an end. */
const load = async (backend: Backend): Promise<Declared | undefined> => {
  const declared: Declared = new Map()
  let cursor: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const result = await page(backend, cursor)
    if (result === undefined) return undefined
    for (const tool of Array.isArray(result.tools) ? result.tools : [])
      if (isObject(tool) && typeof tool.name === 'string') declared.set(tool.name, mirroredOf(tool.inputSchema) ?? [])
    if (typeof result.nextCursor !== 'string') break
    cursor = result.nextCursor
  }
  return declared
}

/**
 * Knows which parameters of which tool have a header of their own, from the server's list, for some seconds. While the
 * server does not tell, it goes by what it told last. Rejects as the server's own answer would.
 */
export const createTools = (now: () => number) => {
  let known: Declared = new Map()
  let loading: Promise<void> | undefined
  let at = Number.NEGATIVE_INFINITY
  const refresh = async (backend: Backend) => {
    try {
      known = (await load(backend)) ?? known
    } catch (error) {
      at = Number.NEGATIVE_INFINITY
      throw error
    } finally {
      loading = undefined
    }
  }
  return async (backend: Backend, tool: string): Promise<Mirrored[]> => {
    if (!loading && now() - at > HOLDS_MS) {
      at = now()
      loading = refresh(backend)
      // Nobody may be waiting any more when it fails.
      loading.catch(() => {})
    }
    const left = at + WAIT_MS - now()
    if (loading && left > 0) await Promise.race([loading, pause(left, undefined, { ref: false })])
    return known.get(tool) ?? []
  }
}
