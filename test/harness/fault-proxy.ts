import type { IncomingMessage, ServerResponse } from 'node:http'
import * as http from 'node:http'
import * as https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type BodyFault, passBody } from './fault-body.ts'
import type { Pair } from './pki.ts'

export type Fault =
  /** An answer of the proxy's own; nothing is forwarded, or with `after` the server has answered before. */
  | { answer: number; body?: unknown; headers?: Record<string, string>; after?: true }
  /** The connection is cut instead of answered; `after` lets the request through first. */
  | { cut: 'before' | 'after' }
  /** Never answers. */
  | { stall: true }
  | { delayMs: number }
  /** Takes a piece of the request (64 KiB at most) each so many milliseconds. */
  | { sipMs: number }
  /** Having sent the request, ends its side of the connection to the server and waits for the answer. */
  | { halfClose: true }
  | BodyFault

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
  /** The requests that came last, 1,000 at least, in order. */
  readonly seen: Seen[]
  /** The first rule that matches a request is done to it. Returns its removal. */
  inject(rule: FaultRule): () => void
  /** Cuts every open connection. */
  cutAll(): void
  /** What is open now stays open and silent for ever; new requests pass. */
  stallOpen(): void
  /**
   * What is open now is forgotten, as by a firewall or a node without power: silent for both sides for ever, and neither
   * is told that the other has gone.
   */
  forgetOpen(): void
  /**
   * What happens to new connections: cut at once, as by a network that is away (open ones are cut too), or in the middle
   * of the handshake; `false` ends it.
   */
  away(is: boolean | 'handshake'): void
  stop(): Promise<void>
}

export interface FaultProxyOptions {
  /** Address of the server behind. */
  upstream: string
  /** Shown to clients; without it they and the upstream speak HTTP. */
  serving?: Pair
  /** The authority that vouches for the upstream, PEM. */
  ca?: string
}

/** One request and its answer on their way. */
export interface Exchange {
  /** Nothing passes any more. */
  silent: boolean
  /** The upstream is not told that the client has gone. */
  forgotten: boolean
}

const KEPT = 2_000

const reply = (outgoing: ServerResponse, { answer, headers, body }: Extract<Fault, { answer: number }>) => {
  outgoing.writeHead(answer, { 'content-type': 'application/json', ...headers })
  outgoing.end(typeof body === 'string' ? body : `${JSON.stringify(body ?? {})}\n`)
}

/** Stands between a client and a server and does what networks and servers do on bad days. Tokens pass, client certificates do not. */
export const startFaultProxy = async ({ upstream, serving, ca }: FaultProxyOptions): Promise<FaultProxy> => {
  const seen: Seen[] = []
  const rules: { rule: FaultRule; left: number }[] = []
  const exchanges = new Set<Exchange>()
  const sockets = new Set<Socket>()
  const { Agent, request: ask } = serving ? https : http
  const agent = new Agent({ keepAlive: true })
  let isAway: boolean | 'handshake' = false

  const faultFor = (request: Seen): Fault | undefined => {
    const found = rules.find(({ rule, left }) => left > 0 && rule.match(request))
    if (found) found.left--
    return found?.rule.fault
  }

  const forward = (incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined) => {
    const exchange: Exchange = { silent: false, forgotten: false }
    exchanges.add(exchange)
    const cut = () => {
      if (!exchange.silent) outgoing.socket?.destroy()
    }
    const { method, headers } = incoming
    const onward = ask(new URL(incoming.url ?? '/', upstream), { method, headers, agent, ...(ca ? { ca } : {}) })
    onward.on('error', cut)
    onward.on('response', (answer) => {
      if (fault && 'cut' in fault) {
        answer.resume()
        cut()
      } else if (fault && 'answer' in fault) {
        answer.resume()
        if (!exchange.silent && !outgoing.destroyed) reply(outgoing, fault)
      } else passBody(answer, outgoing, exchange, fault)
    })
    outgoing.on('close', () => {
      exchanges.delete(exchange)
      if (!exchange.forgotten) onward.destroy()
    })
    // A client that goes in the middle of its request.
    incoming.on('error', () => undefined)
    incoming.on('data', (chunk: Buffer) => {
      if (exchange.silent || onward.destroyed) return
      const drained = onward.write(chunk)
      if (drained && !(fault && 'sipMs' in fault)) return
      incoming.pause()
      if (fault && 'sipMs' in fault) setTimeout(() => incoming.resume(), fault.sipMs)
      else onward.once('drain', () => incoming.resume())
    })
    incoming.on('end', () => {
      if (exchange.silent) return
      onward.end()
      if (fault && 'halfClose' in fault) onward.once('finish', () => onward.socket?.end())
    })
  }

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const url = new URL(incoming.url ?? '/', upstream)
    const request: Seen = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      watch: url.searchParams.get('watch') === 'true',
    }
    if (seen.push(request) > KEPT) seen.splice(0, KEPT / 2)
    const fault = faultFor(request)
    if (fault && 'stall' in fault) return
    if (fault && 'cut' in fault && fault.cut === 'before') return outgoing.socket?.destroy()
    if (fault && 'answer' in fault && !fault.after) {
      incoming.resume()
      return reply(outgoing, fault)
    }
    if (fault && 'delayMs' in fault) await new Promise((resolve) => setTimeout(resolve, fault.delayMs))
    forward(incoming, outgoing, fault)
  }
  const server = serving
    ? https.createServer({ cert: serving.cert, key: serving.key }, serve)
    : http.createServer(serve)
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy())
    if (isAway === true) return socket.destroy()
    // Long enough for the client's first words and far too short for it to read ours.
    if (isAway === 'handshake') return setTimeout(() => socket.destroy(), 5)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  // A client that gives up in the middle of the handshake is no failure of the proxy.
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const cutAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `${serving ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    inject: (rule) => {
      const entry = { rule, left: rule.times ?? Number.POSITIVE_INFINITY }
      rules.push(entry)
      return () => {
        const at = rules.indexOf(entry)
        if (at >= 0) rules.splice(at, 1)
      }
    },
    cutAll,
    stallOpen: () => {
      for (const exchange of exchanges) exchange.silent = true
    },
    forgetOpen: () => {
      for (const exchange of exchanges) Object.assign(exchange, { silent: true, forgotten: true })
    },
    away: (is) => {
      isAway = is
      if (is) cutAll()
    },
    stop: async () => {
      cutAll()
      agent.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
