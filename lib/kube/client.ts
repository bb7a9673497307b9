import http from 'node:http'
import https from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import { ApiError, ConnectionError } from './errors.ts'
import { lines } from './lines.ts'
import type { Status } from './types.ts'

export type Query = Record<string, string | number | boolean | undefined>

export interface RequestOptions {
  query?: Query
  /** Sent as JSON. */
  body?: unknown
  /** Defaults to `application/json`; patches name their own. */
  contentType?: string
  headers?: Record<string, string>
  /** Milliseconds for the whole answer, 30,000 unless told. */
  timeoutMs?: number
  signal?: AbortSignal
}

/** The one port to the API server. */
export interface Client {
  /** Base address, as `https://10.96.0.1:443`. */
  readonly server: string
  /**
   * One call, its answer parsed as JSON.
   * @throws ApiError for any answer but 2xx, ConnectionError when there is none.
   */
  request<T>(method: string, path: string, options?: RequestOptions): Promise<T>
  /** As {@link request}, the answer as text: logs, `/readyz`, `/openid/v1/jwks`. */
  text(method: string, path: string, options?: RequestOptions): Promise<string>
  /**
   * A GET whose answer is read line by line as it comes. `timeoutMs` bounds the wait for the headers only.
   * Ends silently when the server closes; `signal` cuts it.
   */
  stream(path: string, options?: RequestOptions): Promise<AsyncIterable<string>>
  /** Closes idle connections; running calls end by their own signal. */
  close(): void
}

interface Connection {
  agent: http.Agent
  options: https.RequestOptions
  readAt: number
  identity: string
}

/** Certificates are read again this often, so that a rotated CA or client certificate is taken up. */
const credentialsForMs = 10_000

/**
 * A client over client-node's kubeconfig and authentication (tokens from files, exec plugins, OIDC), with
 * connections kept alive.
 */
export const createClient = (kubeConfig: KubeConfig, now: () => number = Date.now): Client => {
  const cluster = kubeConfig.getCurrentCluster()
  if (!cluster) throw new Error('the kubeconfig names no current cluster')
  const base = new URL(cluster.server)
  const transport = base.protocol === 'http:' ? http : https
  let connection: Connection | undefined

  const connect = async (): Promise<Connection> => {
    if (connection && now() - connection.readAt < credentialsForMs) return connection
    const options: https.RequestOptions = {}
    await kubeConfig.applyToHTTPSOptions(options)
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options
    const identity = JSON.stringify([ca, cert, key, pfx, passphrase, rejectUnauthorized, servername].map(String))
    if (connection?.identity === identity) {
      connection.readAt = now()
      return connection
    }
    if (connection) retire(connection.agent)
    const tls = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }
    // A webhook asks several things for each review: with fewer, most of a burst would begin with a TLS handshake.
    const settings = { keepAlive: true, keepAliveMsecs: 30_000, maxFreeSockets: 64 }
    // A proxy's agent is client-node's own: it alone knows how to build one.
    const agent = cluster.proxyUrl
      ? (options.agent as http.Agent)
      : transport === http
        ? new http.Agent(settings)
        : new https.Agent({ ...settings, ...tls })
    connection = { agent, options, readAt: now(), identity }
    return connection
  }

  const headersFor = async (options: RequestOptions, body: string | undefined) => {
    // Asked for at each call: the token in a file is renewed while the process runs.
    const auth: https.RequestOptions = {}
    await kubeConfig.applyToHTTPSOptions(auth)
    const headers: http.OutgoingHttpHeaders = {
      accept: 'application/json',
      'user-agent': 'remit',
      ...(auth.headers as http.OutgoingHttpHeaders | undefined),
      ...options.headers,
    }
    if (auth.auth) headers.authorization = `Basic ${Buffer.from(auth.auth).toString('base64')}`
    if (body !== undefined) {
      headers['content-type'] = options.contentType ?? 'application/json'
      headers['content-length'] = Buffer.byteLength(body)
    }
    return headers
  }

  const open = async (method: string, path: string, options: RequestOptions): Promise<http.IncomingMessage> => {
    const body = options.body === undefined ? undefined : JSON.stringify(options.body)
    const { agent } = await connect()
    const headers = await headersFor(options, body)
    const url = new URL(base.pathname.replace(/\/$/, '') + path, base)
    for (const [name, value] of Object.entries(options.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, String(value))
    const once = () =>
      new Promise<http.IncomingMessage>((resolve, reject) => {
        const request = transport.request(url, { method, agent, headers, signal: options.signal }, resolve)
        request.once('error', (error) => reject(Object.assign(error, { reused: request.reusedSocket })))
        request.end(body)
      })
    return once().catch((error) => {
      // A kept connection the server had closed meanwhile; only what changes nothing is sent a second time.
      const again = error.reused && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      if (again && method === 'GET' && !options.signal?.aborted) return once()
      throw error
    })
  }

  const failure = (message: http.IncomingMessage, body: string): ApiError => {
    const seconds = Number(message.headers['retry-after'])
    return new ApiError(message.statusCode ?? 0, parseStatus(body), seconds > 0 ? seconds * 1000 : undefined)
  }

  const text = async (method: string, path: string, options: RequestOptions = {}): Promise<string> => {
    const timeout = AbortSignal.timeout(options.timeoutMs ?? 30_000)
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
    try {
      const message = await open(method, path, { ...options, signal })
      const body = await readAll(message)
      if (!isSuccess(message)) throw failure(message, body)
      return body
    } catch (error) {
      throw asConnectionError(error, options.signal, method, path)
    }
  }

  const stream = async (path: string, options: RequestOptions = {}): Promise<AsyncIterable<string>> => {
    // The timer ends with the headers: a watch is quiet for as long as nothing happens.
    const headersLate = new AbortController()
    const timer = setTimeout(() => headersLate.abort(new Error('no answer in time')), options.timeoutMs ?? 30_000)
    const signal = options.signal ? AbortSignal.any([options.signal, headersLate.signal]) : headersLate.signal
    try {
      const message = await open('GET', path, { ...options, signal })
      if (!isSuccess(message)) throw failure(message, await readAll(message))
      return lines(message)
    } catch (error) {
      throw asConnectionError(error, options.signal, 'GET', path)
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    server: cluster.server,
    text,
    stream,
    request: async <T>(method: string, path: string, options?: RequestOptions) =>
      JSON.parse(await text(method, path, options)) as T,
    close: () => connection?.agent.destroy(),
  }
}

/** What is under way ends by itself; nothing is kept for later. */
const retire = (agent: http.Agent) => {
  agent.maxFreeSockets = 0
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy()
}

const isSuccess = (message: http.IncomingMessage) => (message.statusCode ?? 0) >= 200 && (message.statusCode ?? 0) < 300

const readAll = async (message: http.IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

const parseStatus = (body: string): Status => {
  try {
    const parsed = JSON.parse(body)
    if (parsed?.kind === 'Status') return parsed
  } catch {
    // Not JSON: a proxy between us and the API server, or the API server's plain text for 429.
  }
  return { message: body.slice(0, 200).trim() }
}

const asConnectionError = (error: unknown, signal: AbortSignal | undefined, method: string, path: string): unknown => {
  if (error instanceof ApiError || signal?.aborted) return error
  const { code, message } = error as NodeJS.ErrnoException
  return new ConnectionError(`${method} ${path}: ${code ?? message}`, { cause: error })
}
