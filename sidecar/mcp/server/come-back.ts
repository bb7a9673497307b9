import type { IncomingMessage } from 'node:http'
import { pause } from '../../../lib/service/pause.ts'
import type { Outside } from '../../context.ts'
import { targetOf } from '../../target.ts'
import { discard } from '../../upstream.ts'
import type { Mark } from '../answer.ts'
import { sessionHeaders } from '../forward.ts'
import type { Place } from './tell.ts'

/** How often a stream that is over is gone on with while nothing new comes. */
export const COME_BACKS = 3
const RETRY_MS = 1_000
const MAX_RETRY_MS = 30_000
/** Nor is any server asked more often than after this, nor after so much more each time that nothing comes of it. */
const MIN_RETRY_MS = 100

/** What of a stream's connection may be otherwise where it is gone on with. */
export interface Waiting {
  signal: AbortSignal
  idleMs: number
  isAsking?: () => boolean
}

/**
 * The connection by which a server that names its events goes on with a stream that is over, after as long as it wants
 * to be left alone; undefined when it does not. Rejects as `gate.send`.
 */
export const comeBack = async (
  gate: Outside,
  { server, session }: Place,
  mark: Mark,
  { signal, idleMs, isAsking }: Waiting,
): Promise<IncomingMessage | undefined> => {
  const { eventId, retryMs = RETRY_MS, comeBacks = 0 } = mark
  if (eventId === undefined) return undefined
  mark.comeBacks = comeBacks + 1
  const least = Math.min(MIN_RETRY_MS * mark.comeBacks, RETRY_MS)
  await pause(Math.min(Math.max(retryMs, least), MAX_RETRY_MS), signal)
  const response = await gate.send(targetOf('server', server, gate.credentials), {
    method: 'GET',
    headers: { accept: 'text/event-stream', ...sessionHeaders(session), 'last-event-id': eventId },
    signal,
    idleMs,
    isAsking,
  })
  if (response.statusCode === 200) return response
  discard(response)
  return undefined
}
