import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'

/** A place the gate forwards to. */
export interface Target {
  name: string
  url: URL
  /** Host header and TLS server name when they differ from the URL's. */
  host?: string | undefined
  /** Header and value that the agent never sees. */
  credential?: { header: string; value: string } | undefined
}

/** Why there was no usable answer. `sent`: whether the other side may have acted on the request. */
export class UpstreamFailure extends Error {
  override name = 'UpstreamFailure'
  readonly kind: 'unreachable' | 'timeout' | 'invalid' | 'cancelled'
  readonly sent: boolean
  constructor(kind: UpstreamFailure['kind'], detail: string, sent: boolean) {
    super(detail)
    this.kind = kind
    this.sent = sent
  }
}

export interface UpstreamRequest {
  method: string
  /** Without the credential; it is added here, last, so that nothing can replace it. */
  headers: OutgoingHttpHeaders
  body?: Buffer
  signal: AbortSignal
  /** Longest silence, milliseconds; while connecting, and between any two bytes. */
  idleMs: number
  /** Whether the other side waits for an answer to something it asked; then its silence does not count. */
  isAsking?: (() => boolean) | undefined
}

/** Sends one request and resolves with the head of the answer; rejects with UpstreamFailure. */
export type Send = (target: Target, request: UpstreamRequest) => Promise<IncomingMessage>

const CONNECT_MS = 10_000

const words: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'name not found',
  EAI_AGAIN: 'name not found',
  EPIPE: 'connection closed',
}
const plain = (error: NodeJS.ErrnoException): string => words[error.code ?? ''] ?? error.code ?? error.message

/** What an aborted request failed of: the reason it was aborted with, or that somebody gave it up. */
export const failureOf = (signal: AbortSignal): UpstreamFailure =>
  signal.reason instanceof UpstreamFailure ? signal.reason : new UpstreamFailure('cancelled', 'given up', true)

const LINGER_MS = 1_000

/** Lets go of an answer that nobody reads: its connection is kept where it ends soon, and ended where it does not. */
export const discard = (response: IncomingMessage): void => {
  const timer = setTimeout(() => response.destroy(), LINGER_MS).unref()
  response.once('close', () => clearTimeout(timer))
  response.on('error', () => {})
  response.resume()
}

/** Connections to servers are kept and shared by all calls. */
export const createSend = (): { send: Send; close: () => void } => {
  const http = new HttpAgent({ keepAlive: true, maxFreeSockets: 64 })
  const https = new HttpsAgent({ keepAlive: true, maxFreeSockets: 64 })
  const send: Send = (target, request) =>
    new Promise((resolve, reject) => {
      const { url } = target
      const secure = url.protocol === 'https:'
      const hostname = url.hostname.replace(/^\[|\]$/g, '')
      const name = (target.host ?? url.host).replace(/:\d+$/, '')
      const headers: OutgoingHttpHeaders = { ...request.headers, host: target.host ?? url.host }
      if (request.body) headers['content-length'] = request.body.length
      if (target.credential) headers[target.credential.header.toLowerCase()] = target.credential.value
      const { signal } = request
      if (signal.aborted) {
        reject(failureOf(signal))
        return
      }
      let connected = false
      let incoming: IncomingMessage | undefined
      const fail = (kind: UpstreamFailure['kind'], detail: string) => {
        const failure = new UpstreamFailure(kind, detail, connected)
        reject(failure)
        incoming?.destroy(failure)
        outgoing.destroy()
      }
      const outgoing = (secure ? httpsRequest : httpRequest)({
        hostname,
        port: url.port || (secure ? 443 : 80),
        path: url.pathname + url.search,
        method: request.method,
        headers,
        agent: secure ? https : http,
        ...(secure && !isIP(name) ? { servername: name } : {}),
      })
      outgoing.once('socket', (socket) => {
        if (!socket.connecting) {
          connected = true
          return
        }
        const timer = setTimeout(() => fail('unreachable', `no connection within ${CONNECT_MS / 1000} s`), CONNECT_MS)
        socket.once(secure ? 'secureConnect' : 'connect', () => {
          connected = true
          clearTimeout(timer)
        })
        socket.once('close', () => clearTimeout(timer))
      })
      const onSilence = () => {
        if (request.isAsking?.()) outgoing.setTimeout(request.idleMs, onSilence)
        else fail('timeout', `silent for ${request.idleMs / 1000} s`)
      }
      outgoing.setTimeout(request.idleMs, onSilence)
      outgoing.on('error', (error: NodeJS.ErrnoException) =>
        reject(signal.aborted ? failureOf(signal) : new UpstreamFailure('unreachable', plain(error), connected)),
      )
      outgoing.once('response', (response) => {
        incoming = response
        const { statusCode = 0 } = response
        // Anything else cannot be passed on: a status is written with these digits or not at all.
        if (statusCode < 200 || statusCode > 599) fail('invalid', `HTTP ${statusCode}`)
        else resolve(response)
      })
      outgoing.once('upgrade', (_response, socket) => {
        socket.destroy()
        fail('invalid', 'another protocol than HTTP')
      })
      const abort = () => outgoing.destroy(failureOf(signal))
      signal.addEventListener('abort', abort)
      outgoing.once('close', () => {
        signal.removeEventListener('abort', abort)
        // Whatever ended it without a word above: nobody may wait for ever.
        if (!incoming) reject(new UpstreamFailure('unreachable', 'connection closed', connected))
      })
      outgoing.end(request.body)
    })
  return {
    send,
    close: () => {
      http.destroy()
      https.destroy()
    },
  }
}
