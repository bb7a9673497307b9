import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { HEADER, LEGACY_VERSIONS, META, MODERN_VERSION, type RequestId, RPC } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { withMembers } from '../../lib/core/json-text.ts'
import type { Backend, Filter } from '../backend/backend.ts'
import { ASKABLE } from '../backend/parking.ts'
import type { Hello } from '../child/handshake.ts'
import type { Reply } from '../http/reply.ts'
import { lostCall, rpcError } from '../json/rpc.ts'
import type { FrontContext } from './context.ts'
import { failureOf } from './failure.ts'
import { createChannel, type Session } from './session.ts'

const MAX_ROUNDS = 8
const AGAIN_MS = 1_000
const DROP_MS = 2_000
const EVERYTHING: Filter = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }

type Answer = { result: JsonObject } | { error: JsonObject }

/** The revision for a client that asks for `wanted`, of those that the bridge and the server speak. */
const agree = (wanted: unknown, hello: Hello): string => {
  const newest = hello.era === 'legacy' ? hello.version : LEGACY_VERSIONS[0]
  return (LEGACY_VERSIONS as readonly unknown[]).includes(wanted) && String(wanted) <= newest ? String(wanted) : newest
}

/** What `initialize` is answered with in the server's name. */
export const initializeResult = (hello: Hello, wanted: unknown): JsonObject => ({
  protocolVersion: agree(wanted, hello),
  capabilities: hello.capabilities,
  serverInfo: { name: 'unnamed', version: '0', ...hello.serverInfo },
  ...(hello.instructions === undefined ? {} : { instructions: hello.instructions }),
})

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
  const asked = new Map<RequestId, (answer: Answer) => void>()
  const calls = new Map<RequestId, (reason: string) => void>()
  const subscribed = new Set<string>()
  let nextAsk = 1
  let logLevel: string | undefined
  let over = false
  let stopListening = () => {}

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
  const follow = (): void => {
    stopListening()
    let current = true
    let close = () => {}
    stopListening = () => {
      current = false
      close()
    }
    const again = () => {
      if (current && !over) setTimeout(() => current && !over && follow(), AGAIN_MS)
    }
    backend
      .listen(
        { params: envelope(), filter: { ...EVERYTHING, resourceSubscriptions: [...subscribed] } },
        {
          onNotification: ({ params, ...note }) => {
            const { _meta, ...rest } = isObject(params) ? params : {}
            channel.send(JSON.stringify({ ...note, params: rest }))
          },
          onEnd: again,
        },
      )
      .then(
        (listening) => {
          if (current) close = listening.close
          else listening.close()
        },
        (error: unknown) => {
          context.log.debug({ err: error }, 'changes of the server cannot be followed now')
          again()
        },
      )
  }

  const askOne = (request: unknown, reply: Reply): Promise<Answer> => {
    const method = isObject(request) ? String(request.method) : ''
    const params = isObject(request) && isObject(request.params) ? request.params : undefined
    const capability = ASKABLE[method]
    if (capability === undefined || !isObject(capabilities[capability]))
      return Promise.resolve({
        error: { code: RPC.methodNotFound, message: 'The client did not say that it can be asked this.' },
      })
    // Until 2025-11-25 a request to open a URL had a name; afterwards it has none.
    const named = params?.mode === 'url' ? { elicitationId: randomUUID(), ...params } : params
    const id = `bridge-${nextAsk++}`
    return new Promise((resolve) => {
      asked.set(id, resolve)
      const text = JSON.stringify({ jsonrpc: '2.0', id, method, ...(named ? { params: named } : {}) })
      if (!reply.notify(text)) channel.send(text)
    })
  }
  const inputsOf = async (requests: JsonObject, reply: Reply): Promise<JsonObject | JsonObject[]> => {
    const answers = await Promise.all(
      Object.entries(requests).map(async ([key, request]) => ({ key, answer: await askOne(request, reply) })),
    )
    const errors = answers.flatMap(({ answer }) => ('error' in answer ? [answer.error] : []))
    if (errors.length > 0) return errors
    return Object.fromEntries(answers.map(({ key, answer }) => [key, (answer as { result: JsonObject }).result]))
  }

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
      reply.answer(JSON.stringify(lostCall(id, `No answer within ${limits.callMs / 1000} s`, 'unknown')))
    }, limits.callMs)
    calls.set(id, give)
    const attempt = async (round: number, more: JsonObject): Promise<void> => {
      const handle = await backend.call(
        { method, params: envelope({ ...params, ...more }) },
        {
          onAnswer: (text) => {
            const result = text.includes('"input_required"') ? (JSON.parse(text) as JsonObject).result : undefined
            if (!isObject(result) || result.resultType !== 'input_required')
              return finish(withMembers(text, { set: { id } }))
            if (round >= MAX_ROUNDS)
              return finish(JSON.stringify(rpcError(id, RPC.internal, `The server asked ${MAX_ROUNDS} times over.`)))
            const requests = isObject(result.inputRequests) ? result.inputRequests : {}
            inputsOf(requests, reply)
              .then((inputs) => {
                if (cancelled) return
                if (Array.isArray(inputs))
                  return finish(
                    JSON.stringify(
                      rpcError(id, RPC.internal, 'What the server asked first was not answered.', { errors: inputs }),
                    ),
                  )
                const state = result.requestState
                return attempt(round + 1, {
                  ...(Object.keys(requests).length > 0 ? { inputResponses: inputs } : {}),
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
      const requestId = params?.requestId as RequestId
      calls.get(requestId)?.(typeof params?.reason === 'string' ? params.reason : 'cancelled by the client')
      setTimeout(() => channel.drop(requestId), DROP_MS)
    },
    answer: (id, body) => {
      const waiting = asked.get(id)
      if (!waiting) return false
      asked.delete(id)
      waiting(body)
      return true
    },
    end: () => {
      if (over) return
      over = true
      stopListening()
      for (const give of [...calls.values()]) give('the session ended')
      channel.end()
      options.onEnd()
    },
  }
  follow()
  return session
}
