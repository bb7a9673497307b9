import type { RemitServer } from '../../../lib/api/remit.ts'
import { sha256hex } from '../../../lib/core/canonical.ts'

/**
 * The cursors that servers gave: nobody decides or records how an agent asks for the next page of a list, so it cannot
 * say anything by that which its server has not said before.
 */
export interface Cursors {
  given: (server: RemitServer, method: string, cursor: string) => void
  knows: (server: RemitServer, method: string, cursor: string) => boolean
}

const MAX_KEPT = 10_000

export const createCursors = (): Cursors => {
  const known = new Set<string>()
  const keyOf = ({ name, url }: RemitServer, method: string, cursor: string) =>
    sha256hex([name, url, method, cursor].join(' '))
  return {
    given: (server, method, cursor) => {
      const key = keyOf(server, method, cursor)
      known.delete(key)
      if (known.size >= MAX_KEPT) known.delete(known.values().next().value!)
      known.add(key)
    },
    knows: (server, method, cursor) => known.has(keyOf(server, method, cursor)),
  }
}

/** What makes `params.cursor` no way to another page of this list, as a phrase. */
export const cursorProblem = (
  cursors: Cursors,
  server: RemitServer,
  method: string,
  cursor: unknown,
): string | undefined => {
  if (cursor === undefined) return undefined
  if (typeof cursor !== 'string') return 'params.cursor must be a string'
  return cursors.knows(server, method, cursor) ? undefined : 'params.cursor is none of this list; begin it again'
}
