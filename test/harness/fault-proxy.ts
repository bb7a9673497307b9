import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Pair } from './pki.ts'

export type Fault =
  /** An answer of the proxy's own, nothing is forwarded. */
  | { answer: number; body?: unknown; headers?: Record<string, string> }
  /** The connection is cut instead of answered; `after` lets the request through first. */
  | { cut: 'before' | 'after' }
  /** Never answers. */
  | { stall: true }
  | { delayMs: number }
  /** Lines of the answer for which this is false are lost on the way. */
  | { keepLine: (line: string) => boolean }

export interface FaultRule {
  match: (request: Seen) => boolean
  fault: Fault
  /** How often, for ever unless told. */
  times?: number
}

export interface Seen {
  method: string
  path: string
  query: URLSearchParams
  /** Whether it asks for a watch. */
  watch: boolean
}

export interface FaultProxy {
  readonly url: string
  /** Every request that came, in order. */
  readonly seen: Seen[]
  /** The first rule that matches a request is done to it. Returns its removal. */
  inject(rule: FaultRule): () => void
  /** Cuts every open connection. */
  cutAll(): void
  /** What is open now stays open and silent for ever; new requests pass. */
  stallOpen(): void
  /** Cuts new connections at once as well, as a network that is away; `false` ends it. */
  away(is: boolean): void
  stop(): Promise<void>
}

export interface FaultProxyOptions {
  /** Address of the API server. */
  upstream: string
  /** Shown to clients. */
  serving: Pair
  /** The authority that vouches for the upstream, PEM. */
  ca: string
}

interface Exchange {
  stalled: boolean
}

/** Stands between a client and an API server and does what networks and servers do on bad days. Tokens pass, client certificates do not. */
export const startFaultProxy = async ({ upstream, serving, ca }: FaultProxyOptions): Promise<FaultProxy> => {
  const seen: Seen[] = []
  const rules: { rule: FaultRule; left: number }[] = []
  const exchanges = new Set<Exchange>()
  const sockets = new Set<{ destroy(): void }>()
  let isAway = false

  const faultFor = (request: Seen): Fault | undefined => {
    const found = rules.find(({ rule, left }) => left > 0 && rule.match(request))
    if (found) found.left--
    return found?.rule.fault
  }

  const forward = (incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined) => {
    const exchange: Exchange = { stalled: false }
    exchanges.add(exchange)
    const cut = () => outgoing.socket?.destroy()
    const onward = request(new URL(incoming.url ?? '/', upstream), {
      method: incoming.method,
      headers: incoming.headers,
      ca,
    })
    onward.on('error', cut)
    onward.on('response', (answer) => {
      if (fault && 'cut' in fault) {
        answer.resume()
        cut()
        return
      }
      const pass = (chunk: Buffer | string) => exchange.stalled || outgoing.write(chunk)
      if (!exchange.stalled) {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        outgoing.flushHeaders()
      }
      let rest = ''
      answer.on('data', (chunk: Buffer) => {
        if (!fault || !('keepLine' in fault)) return pass(chunk)
        const whole = (rest + chunk.toString('utf8')).split('\n')
        rest = whole.pop() ?? ''
        for (const line of whole) if (fault.keepLine(line)) pass(`${line}\n`)
      })
      answer.on('end', () => exchange.stalled || outgoing.end(rest))
      answer.on('error', cut)
    })
    outgoing.on('close', () => {
      exchanges.delete(exchange)
      onward.destroy()
    })
    incoming.pipe(onward)
  }

  const server = createServer({ cert: serving.cert, key: serving.key }, async (incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', upstream)
    const request: Seen = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      watch: url.searchParams.get('watch') === 'true',
    }
    seen.push(request)
    const fault = faultFor(request)
    if (fault && 'stall' in fault) return
    if (fault && 'cut' in fault && fault.cut === 'before') return outgoing.socket?.destroy()
    if (fault && 'answer' in fault) {
      outgoing.writeHead(fault.answer, { 'content-type': 'application/json', ...fault.headers })
      outgoing.end(typeof fault.body === 'string' ? fault.body : `${JSON.stringify(fault.body ?? {})}\n`)
      return
    }
    if (fault && 'delayMs' in fault) await new Promise((resolve) => setTimeout(resolve, fault.delayMs))
    forward(incoming, outgoing, fault)
  })
  server.on('connection', (socket) => {
    if (isAway) return socket.destroy()
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  })
  // A client that gives up in the middle of the handshake is no failure of the proxy.
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const cutAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    inject: (rule) => {
      const entry = { rule, left: rule.times ?? Number.POSITIVE_INFINITY }
      rules.push(entry)
      return () => {
        rules.splice(rules.indexOf(entry), 1)
      }
    },
    cutAll,
    stallOpen: () => {
      for (const exchange of exchanges) exchange.stalled = true
    },
    away: (is) => {
      isAway = is
      if (is) cutAll()
    },
    stop: async () => {
      cutAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
