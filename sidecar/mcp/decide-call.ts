import type { ReadObject, ToolCall } from '../../lib/core/decide.ts'
import type { Json } from '../../lib/core/strict.ts'
import type { GateContext } from '../context.ts'
import type { Decided } from '../history.ts'
import { createDeclared } from './declared.ts'
import { definitionsMatter } from './definitions.ts'
import { SessionGone } from './forward.ts'
import { createObjectReader, type Reader } from './objects.ts'
import type { Agent, ServerPort } from './ports.ts'

/** A call to be decided, as the agent made it. */
export interface Undecided {
  server: string
  /** Who calls, and how the server is reached; undefined when the remit had no such server as the call came. */
  agent: Agent | undefined
  port: ServerPort | undefined
  tool: string
  arguments: Json
  traceparent: string
  signal: AbortSignal
}
export interface DecidedCall extends Decided {
  objects: ReadObject[]
  /** The same objects as they are now. */
  readAgain: () => Promise<ReadObject[]>
}

/**
 * Decides calls by all that their rules look at: how the server declares the tool now, and objects as they are now.
 * Learning that takes time, in which the remit may change; then it is begun again, so that no call is decided by what
 * another remit wanted to know. From the decision on nothing waits until its intent is on its way to the disk. Rejects
 * with SessionGone when the agent's session is over, so that nothing could be made of its call.
 */
export const createDecider = (gate: GateContext) => {
  const declared = createDeclared(gate)
  const readObjects = createObjectReader(gate)

  return async ({ agent, port, traceparent, signal, ...asked }: Undecided): Promise<DecidedCall> => {
    for (;;) {
      const inForce = gate.authority.current()
      if (!inForce) throw new Error('a call is decided without a remit')
      const call: ToolCall = asked
      const server = inForce.remit.servers.find(({ name }) => name === asked.server)
      // Declared since the request came, which was not held to have a session.
      if (server && !(agent && port)) throw new SessionGone('the call names no session')
      const definition =
        server && definitionsMatter(inForce.prepared, server.name)
          ? await declared(server, agent!, port!, asked.tool)
          : undefined
      const known = { ...call, definition }
      const needs = gate.history.objectsNeeded(known)
      const reader: Reader = { inForce, server: asked.server, port, traceparent, signal }
      const objects = needs.length > 0 ? await readObjects(needs, reader) : []
      if (gate.authority.current() !== inForce) continue
      return {
        ...gate.history.decide({ ...known, objects }),
        objects,
        readAgain: () => readObjects(needs, reader),
      }
    }
  }
}
