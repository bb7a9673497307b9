import type { ServerResponse } from 'node:http'
import type { RequestId } from '../../lib/api/mcp.ts'
import { HEADER } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { withMembers } from '../../lib/core/json-text.ts'
import type { Handle } from '../child/peer.ts'
import { lostCall } from '../json/rpc.ts'
import { createChannel } from './channel.ts'
import type { FrontContext } from './context.ts'
import { lateAnswer } from './failure.ts'
import { cancellation, type Session } from './session.ts'

const MAX_ASKED = 1_000
/** Time for the calls under way to be answered. */
const LAST_MS = 2_000

/** The session, or the server's refusal of `initialize`; in both cases the text of its answer. */
export type Begun = { session?: Session; text: string }

/**
 * A session with a server process of its own: what client and server say passes as it is, `initialize` first. Rejects
 * with Unavailable.
 */
export const beginOwnSession = async (
  context: FrontContext,
  id: string,
  initialize: { id: RequestId; params: JsonObject },
  onEnd: () => void,
): Promise<Begun> => {
  const { limits } = context
  let over = false
  const end = () => {
    if (over) return
    over = true
    onEnd()
    // The calls under way are answered first: that the process ends is told by the process.
    setTimeout(channel.end, LAST_MS)
  }
  const { peer, greeted, touch: touchProcess, end: dismiss } = await context.pool.own(() => end())
  const channel = createChannel({ maxHeld: limits.heldBytes, headers: { [HEADER.session]: id } })
  const asked = new Set<RequestId>()
  const calls = new Map<RequestId, Handle>()
  peer.whenEnded.then(end)
  peer.listen({
    onRequest: ({ message, raw }) => {
      asked.add(message.id as RequestId)
      if (asked.size > MAX_ASKED) asked.delete(asked.values().next().value!)
      channel.send(raw)
    },
    onNotification: ({ raw }) => channel.send(raw),
  })
  const touch = () => {
    touchProcess()
    session.usedAt = context.now()
  }
  const session: Session = {
    id,
    version: '',
    usedAt: context.now(),
    isBusy: () => peer.underWay() > 0,
    channel,
    request: ({ id: requestId, method, params }, response: ServerResponse) => {
      touch()
      const reply = channel.open(requestId, response)
      const finish = (text: string) => {
        clearTimeout(timer)
        calls.delete(requestId)
        channel.close(requestId)
        touch()
        reply.answer(text)
      }
      const handle = peer.call(
        { method, params },
        {
          onAnswer: ({ raw }) => finish(withMembers(raw, { set: { id: requestId } })),
          onProgress: (message) => reply.notify(JSON.stringify(message)),
          onLost: (detail, effect) => finish(JSON.stringify(lostCall(requestId, detail, effect))),
        },
      )
      const timer = setTimeout(() => {
        handle.cancel('no answer in time')
        finish(lateAnswer(requestId, limits.callMs))
      }, limits.callMs)
      calls.set(requestId, handle)
    },
    notification: ({ method, params }) => {
      touch()
      if (method !== 'notifications/cancelled') return peer.notify(method, params)
      const given = cancellation(params)
      const handle = calls.get(given.id)
      if (!handle) return
      handle.cancel(given.reason)
      calls.delete(given.id)
      channel.drop(given.id)
    },
    answer: (requestId, body) => {
      if (!asked.delete(requestId)) return false
      peer.answer(requestId, body)
      return true
    },
    end: () => {
      end()
      dismiss()
    },
  }
  const late = setTimeout(session.end, limits.startMs)
  const text = await new Promise<string>((resolve) => {
    peer.call(
      { method: 'initialize', params: initialize.params },
      {
        onAnswer: ({ message, raw }) => {
          if (isObject(message.result)) session.version = String(message.result.protocolVersion)
          resolve(withMembers(raw, { set: { id: initialize.id } }))
        },
        onLost: (detail, effect) => resolve(JSON.stringify(lostCall(initialize.id, detail, effect))),
      },
    )
  })
  clearTimeout(late)
  if (session.version === '') {
    session.end()
    return { text }
  }
  greeted()
  return { session, text }
}
