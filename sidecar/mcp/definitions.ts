import type { ToolDefinition } from '../../lib/api/gen/types.ts'
import type { RemitServer } from '../../lib/api/remit.ts'
import { canonical } from '../../lib/core/canonical.ts'
import { isObject } from '../../lib/core/json-rpc.ts'
import type { PreparedRemit } from '../../lib/core/prepare.ts'
import type { Json } from '../../lib/core/strict.ts'

/** How long what a server declared is taken for what it declares now. */
export const FRESH_MS = 60_000
const MAX_TOOLS = 5_000

/** A tool as its server declares it; undefined: it declares none of that name, or two that differ. */
export interface Declared {
  definition: ToolDefinition | undefined
}

/** What servers said of their tools, while it can be relied on. */
export interface Definitions {
  /** Undefined when it is not known well enough. */
  find: (server: RemitServer, tool: string) => Declared | undefined
  /** A moment to be given with what was asked for after it. */
  moment: (server: RemitServer) => Moment
  /** Takes a page of a list; `whole`: a whole list. False when the server has said since that its tools changed. */
  learn: (server: RemitServer, tools: Json[], asked: Moment, whole?: 'whole') => boolean
  /** The server says that its tools changed. */
  changed: (server: RemitServer) => void
}
export interface Moment {
  at: number
  epoch: number
}

interface Known {
  epoch: number
  wholeAt: number
  tools: Map<string, Declared & { at: number }>
}

/** Whether decisions about calls of the server depend on what it declares. */
export const definitionsMatter = ({ pins, usesAnnotations }: PreparedRemit, server: string): boolean =>
  usesAnnotations || pins.some((pin) => pin.server === server)

const same = (a: ToolDefinition | undefined, b: ToolDefinition): boolean => {
  try {
    return a !== undefined && canonical(a) === canonical(b)
  } catch {
    return false
  }
}

export const createDefinitions = (steady: () => number): Definitions => {
  const servers = new Map<string, Known>()
  const knownOf = ({ name, url }: RemitServer): Known => {
    const key = `${name} ${url}`
    let known = servers.get(key)
    if (!known) {
      known = { epoch: 0, wholeAt: Number.NEGATIVE_INFINITY, tools: new Map() }
      servers.set(key, known)
    }
    return known
  }
  const forget = (known: Known) => {
    known.tools.clear()
    known.wholeAt = Number.NEGATIVE_INFINITY
  }
  return {
    find: (server, tool) => {
      const known = knownOf(server)
      const since = steady() - FRESH_MS
      const one = known.tools.get(tool)
      if (one && one.at > since) return { definition: one.definition }
      return known.wholeAt > since && !one ? { definition: undefined } : undefined
    },
    moment: (server) => ({ at: steady(), epoch: knownOf(server).epoch }),
    learn: (server, tools, asked, whole) => {
      const known = knownOf(server)
      if (known.epoch !== asked.epoch) return false
      if (whole) {
        forget(known)
        known.wholeAt = asked.at
      }
      const here = new Map<string, ToolDefinition | undefined>()
      for (const tool of tools) {
        if (!isObject(tool) || typeof tool.name !== 'string') continue
        here.set(tool.name, here.has(tool.name) && !same(here.get(tool.name), tool) ? undefined : tool)
      }
      for (const [name, definition] of here)
        if (known.tools.has(name) || known.tools.size < MAX_TOOLS) known.tools.set(name, { definition, at: asked.at })
      return true
    },
    changed: (server) => {
      const known = knownOf(server)
      known.epoch++
      forget(known)
    },
  }
}
