import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Meter, Tracer } from '@opentelemetry/api'
import { UserError } from '../lib/core/errors.ts'
import { listen } from '../lib/service/listen.ts'
import type { Logger } from '../lib/service/log.ts'
import { createSteadyClock } from '../lib/service/steady.ts'
import type { Authority } from './authority.ts'
import { createCommitments } from './commitments.ts'
import { type Credentials, DEFAULT_LIMITS, type GateContext, type Limits, type Outside } from './context.ts'
import { createCallHistory, type LoadPast } from './history.ts'
import { createModelHandler } from './llm/handler.ts'
import { createDefinitions } from './mcp/definitions.ts'
import { createMcpHandler } from './mcp/handler.ts'
import { createHeldCalls } from './mcp/held.ts'
import { createAsked } from './mcp/methods/asked.ts'
import { createCursors } from './mcp/methods/cursors.ts'
import { createKnownTasks } from './mcp/methods/known-tasks.ts'
import { createSeal } from './mcp/seal.ts'
import { createKeptSessions } from './mcp/server/kept.ts'
import { createServerPorts } from './mcp/server/ports.ts'
import { createSessions } from './mcp/sessions.ts'
import { createTelemetryHandler, type RelayTelemetry } from './otlp.ts'
import type { Spool } from './spool/spool.ts'
import { createInstruments } from './telemetry.ts'
import { createSend } from './upstream.ts'

export interface GateOptions {
  /** 0 takes a free one. */
  port: number
  authority: Authority
  spool: Spool
  /** What the agent did before, as recorded. */
  loadPast: LoadPast
  /** Directory of the spool; the keys of session ids and of commitments are kept beside it. */
  dir: string
  credentials: Credentials
  telemetry: { tracer: Tracer; meter: Meter }
  relayTelemetry?: RelayTelemetry | undefined
  limits?: Partial<Limits>
  now: () => number
  log: Logger
}

/** The only way from an agent to a tool or a model. */
export interface Gate {
  port: number
  /** Whether all that the remit asks about the past is known. */
  loaded: () => boolean
  /** Takes no new calls; those on their way get `graceMs` to end. */
  close: (graceMs?: number) => Promise<void>
}

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i

/** A page in a browser must not get here by a name that resolves to loopback (DNS rebinding). */
const isLocal = ({ headers }: IncomingMessage): boolean => {
  if (!LOOPBACK.test(headers.host ?? '')) return false
  const { origin } = headers
  return origin === undefined || (/^https?:\/\//i.test(origin) && LOOPBACK.test(origin.replace(/^https?:\/\//i, '')))
}

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** Listens on loopback only; `authority` and `spool` stay the caller's to close. */
export const startGate = async (options: GateOptions): Promise<Gate> => {
  const { log } = options
  const { send, close: closeConnections } = createSend()
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const instruments = createInstruments(options.telemetry.meter, { bytes: options.spool.backlogBytes })
  const steady = createSteadyClock(options.now)
  const stop = new AbortController()
  const history = createCallHistory({
    authority: options.authority,
    load: options.loadPast,
    record: options.spool.record,
    onFreeze: () => instruments.freezes.add(1),
    now: options.now,
    steady,
    signal: stop.signal,
    log,
  })
  const seal = createSeal(options.dir)
  const outside: Outside = {
    authority: options.authority,
    record: options.spool.record,
    history,
    definitions: createDefinitions(steady),
    asked: createAsked(steady),
    cursors: createCursors(),
    tasks: createKnownTasks(),
    commitments: createCommitments(options.dir),
    send,
    credentials: options.credentials,
    seal,
    sessions: createSessions(seal),
    kept: createKeptSessions(options.dir),
    held: createHeldCalls(limits.inputMs),
    telemetry: { tracer: options.telemetry.tracer, instruments },
    limits,
    bytes: { held: 0, most: limits.heldBytes },
    now: options.now,
    log,
  }
  const context: GateContext = { ...outside, ports: createServerPorts(outside) }
  const mcp = createMcpHandler(context)
  const model = createModelHandler(context)
  const telemetry = createTelemetryHandler(context.bytes, options.relayTelemetry)

  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!isLocal(request)) {
      response.writeHead(403).end()
      return
    }
    const target = request.url ?? '/'
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    const [, part, name = '', ...rest] = path.split('/')
    if (part === 'mcp' && NAME.test(name) && rest.length === 0) return mcp.handle(request, response, name)
    if (part === 'llm' && NAME.test(name))
      return model(request, response, name, rest.length ? `/${rest.join('/')}` : '', mark < 0 ? '' : target.slice(mark))
    if (part === 'otlp' && name === 'v1' && rest.length === 1) return telemetry(request, response, rest[0]!)
    response.writeHead(404).end()
  }

  const server = createServer(
    { maxHeaderSize: 32 * 1024, requestTimeout: 60_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 },
    (request, response) => {
      response.on('error', (error) => log.debug({ err: error }, 'an answer could not be sent'))
      route(request, response).catch((error: unknown) => {
        if (response.destroyed) return
        if (error instanceof UserError) log.warn({ code: error.code }, 'a request failed')
        else log.error({ err: error }, 'a request failed for a reason of ours')
        if (response.headersSent) response.destroy()
        else
          response
            .writeHead(error instanceof UserError ? 503 : 500, { 'content-type': 'application/json' })
            .end(
              JSON.stringify(
                error instanceof UserError
                  ? { error: { code: error.code, message: error.message } }
                  : { error: { message: 'internal error' } },
              ),
            )
      })
    },
  )
  // Upgrades would be a way past every check above.
  server.on('upgrade', (_request, socket) => socket.destroy())
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (socket.writable && error.code !== 'ECONNRESET')
      socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')
    else socket.destroy()
  })
  const listening = await listen(server, { host: '127.0.0.1', port: options.port, log })
  const { port } = listening
  log.info({ port }, 'the gate is open')
  return {
    port,
    loaded: history.loaded,
    close: async (graceMs = 5_000) => {
      const idling = mcp.close(graceMs)
      stop.abort()
      await listening.close(graceMs)
      // Calls can be under way that no connection waits for.
      await idling
      closeConnections()
    },
  }
}
