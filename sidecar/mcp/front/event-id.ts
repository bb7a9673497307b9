import type { RequestId } from '../../../lib/api/mcp.ts'
import { isRequestId } from '../../../lib/core/json-rpc.ts'

/**
 * Where in which stream an agent has got to. `about`: the request that the stream answers, so that an agent can be told
 * of one that is kept no more; a session's own stream answers none. `at`: how many events came, or that it was the last.
 */
export interface EventId {
  stream: string
  about?: RequestId
  at: number | 'end'
}

/** An id for the agent to come back with; no two streams have one in common. */
export const writeEventId = ({ stream, about, at }: EventId): string =>
  [stream, ...(about === undefined ? [] : [Buffer.from(JSON.stringify(about)).toString('base64url')]), at].join('.')

const FORM = /^([0-9a-f-]{36})(?:\.([\w-]{1,2100}))?\.(\d{1,9}|end)$/

const requestIn = (text: string): RequestId | undefined => {
  try {
    const id: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return isRequestId(id) ? id : undefined
  } catch {
    return undefined
  }
}

/** What an agent comes back with; undefined when it is no id of ours. */
export const readEventId = (text: string): EventId | undefined => {
  const [, stream, request, at] = FORM.exec(text) ?? []
  if (stream === undefined || at === undefined) return undefined
  const where = { stream, at: at === 'end' ? at : Number(at) } as const
  if (request === undefined) return where
  const about = requestIn(request)
  return about === undefined ? undefined : { ...where, about }
}
