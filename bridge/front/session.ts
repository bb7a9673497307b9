import type { ServerResponse } from 'node:http'
import type { RequestId } from '../../lib/api/mcp.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { Answer } from '../json/rpc.ts'
import type { Channel } from './channel.ts'

/** What a session does with the messages of its client; the two kinds of sessions differ in this alone. */
export interface Session {
  id: string
  /** The revision that was agreed on. */
  version: string
  usedAt: number
  isBusy: () => boolean
  channel: Channel
  request: (
    message: { id: RequestId; method: string; params?: JsonObject | undefined },
    response: ServerResponse,
  ) => void
  notification: (message: { method: string; params?: JsonObject | undefined }) => void
  /** An answer to what the server asked; false when nothing was. */
  answer: (id: RequestId, body: Answer) => boolean
  end: () => void
}

/** Which request a `notifications/cancelled` of a client gives up, and why. */
export const cancellation = (params: JsonObject | undefined): { id: RequestId; reason: string } => ({
  id: params?.requestId as RequestId,
  reason: typeof params?.reason === 'string' ? params.reason : 'cancelled by the client',
})
