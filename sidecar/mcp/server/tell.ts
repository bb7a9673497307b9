import type { RemitServer } from '../../../lib/api/remit.ts'
import type { JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import { discard } from '../../upstream.ts'
import { sessionHeaders, within } from '../forward.ts'
import type { Session } from '../sessions.ts'
import { post } from './post.ts'

const ASIDE_MS = 10_000

/** Where messages of one session go. */
export interface Place {
  server: RemitServer
  session: Session | undefined
  traceparent?: string | undefined
}

/** Sends a message nobody waits for an answer to; resolves with the HTTP status. */
export const tell = async (gate: Outside, place: Place, message: JsonObject): Promise<number> => {
  const limit = within(ASIDE_MS)
  try {
    const response = await post(gate, {
      server: place.server,
      headers: sessionHeaders(place.session),
      message,
      traceparent: place.traceparent,
      signal: limit.signal,
    })
    discard(response)
    return response.statusCode ?? 0
  } finally {
    limit.done()
  }
}
