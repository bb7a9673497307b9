import type { ServerResponse } from 'node:http'
import { HEADER, META, MODERN_VERSION, type RequestId, RPC } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { withMembers } from '../../lib/core/json-text.ts'
import type { Backend } from '../backend/backend.ts'
import type { Filter } from '../backend/filter.ts'
import type { Reply } from '../http/reply.ts'
import { lostCall, rpcError } from '../json/rpc.ts'
import { createAsking } from './asking.ts'
import { createChannel } from './channel.ts'
import type { FrontContext } from './context.ts'
import { failureOf, lateAnswer } from './failure.ts'
import { createFollowing } from './following.ts'
import { asOlder } from './older.ts'
import { cancellation, type Session } from './session.ts'

const MAX_ROUNDS = 8
const EVERYTHING: Filter = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }

/** A session before a server without sessions, or one that is shared: the session is the bridge's own. */
export const createBackedSession = (
  context: FrontContext,
  options: { id: string; version: string; backend: Backend; params: JsonObject; onEnd: () => void },
): Session => {
  const { limits } = context
  const { backend } = options
  const capabilities = isObject(options.params.capabilities) && !context.shared ? options.params.capabilities : {}
  const clientInfo = isObject(options.params.clientInfo) ? options.params.clientInfo : undefined
  const channel = createChannel({ maxHeld: limits.heldBytes, headers: { [HEADER.session]: options.id } })
  const calls = new Map<RequestId, (reason: string) => void>()
  const subscribed = new Set<string>()
  let logLevel: string | undefined
  let over = false
  const asking = createAsking(capabilities, channel.send)
  const following = createFollowing(backend, {
    onNotification: ({ params, ...note }) => {
      const { _meta, ...rest } = isObject(params) ? params : {}
      channel.send(JSON.stringify({ ...note, params: rest }))
    },
    log: context.log,
  })

  const envelope = (params: JsonObject = {}): JsonObject => ({
    ...params,
    _meta: {
      ...(isObject(params._meta) ? params._meta : {}),
      [META.protocolVersion]: MODERN_VERSION,
      [META.clientCapabilities]: capabilities,
      ...(clientInfo ? { [META.clientInfo]: clientInfo } : {}),
      ...(logLevel ? { [META.logLevel]: logLevel } : {}),
    },
  })
  const follow = () =>
    following.start({ params: envelope(), filter: { ...EVERYTHING, resourceSubscriptions: [...subscribed] } })

  const run = (id: RequestId, method: string, params: JsonObject | undefined, reply: Reply) => {
    let cancelled = false
    let cancel = (_reason: string) => {}
    const finish = (text: string) => {
      clearTimeout(timer)
      calls.delete(id)
      channel.close(id)
      session.usedAt = context.now()
      reply.answer(text)
    }
    const give = (reason: string) => {
      cancelled = true
      clearTimeout(timer)
      calls.delete(id)
      cancel(reason)
    }
    const timer = setTimeout(() => {
      give('no answer in time')
      channel.close(id)
      reply.answer(lateAnswer(id, limits.callMs))
    }, limits.callMs)
    calls.set(id, give)
    const attempt = async (round: number, more: JsonObject): Promise<void> => {
      const handle = await backend.call(
        { method, params: envelope({ ...params, ...more }) },
        {
          onAnswer: (text) => {
            const result = text.includes('"input_required"') ? (JSON.parse(text) as JsonObject).result : undefined
            if (!isObject(result) || result.resultType !== 'input_required')
              return finish(withMembers(asOlder(method, text), { set: { id } }))
            if (round >= MAX_ROUNDS)
              return finish(JSON.stringify(rpcError(id, RPC.internal, `The server asked ${MAX_ROUNDS} times over.`)))
            const requests = isObject(result.inputRequests) ? result.inputRequests : {}
            asking
              .ask(requests, reply)
              .then((asked) => {
                if (cancelled) return
                if ('errors' in asked)
                  return finish(
                    JSON.stringify(rpcError(id, RPC.internal, 'What the server asked first was not answered.', asked)),
                  )
                const state = result.requestState
                return attempt(round + 1, {
                  ...(Object.keys(requests).length > 0 ? { inputResponses: asked.inputs } : {}),
                  ...(typeof state === 'string' ? { requestState: state } : {}),
                })
              })
              .catch(fail)
          },
          onNotification: (note) => reply.notify(JSON.stringify(note)),
          onLost: (detail, effect) => finish(JSON.stringify(lostCall(id, detail, effect))),
        },
      )
      cancel = handle.cancel
      if (cancelled) cancel('cancelled by the client')
    }
    const fail = (error: unknown) => finish(JSON.stringify(failureOf(context.log, error, id).body))
    attempt(1, {}).catch(fail)
  }

  const session: Session = {
    id: options.id,
    version: options.version,
    usedAt: context.now(),
    isBusy: () => calls.size > 0 || channel.isListening(),
    channel,
    request: ({ id, method, params }, response: ServerResponse) => {
      session.usedAt = context.now()
      const reply = channel.open(id, response)
      const done = (result: JsonObject) => {
        channel.close(id)
        reply.answer(JSON.stringify({ jsonrpc: '2.0', id, result }))
      }
      if (method === 'ping') return done({})
      if (method === 'logging/setLevel') {
        logLevel = String(params?.level)
        return done({})
      }
      if (method === 'resources/subscribe' || method === 'resources/unsubscribe') {
        const uri = String(params?.uri)
        if (method === 'resources/subscribe') subscribed.add(uri)
        else subscribed.delete(uri)
        follow()
        return done({})
      }
      run(id, method, params, reply)
    },
    notification: ({ method, params }) => {
      if (method !== 'notifications/cancelled') return
      const { id, reason } = cancellation(params)
      calls.get(id)?.(reason)
      channel.drop(id)
    },
    answer: asking.answer,
    end: () => {
      if (over) return
      over = true
      following.stop()
      for (const give of [...calls.values()]) give('the session ended')
      channel.end()
      options.onEnd()
    },
  }
  follow()
  return session
}
