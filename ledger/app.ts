import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { LEDGER_PATHS, MAX_BATCH_BYTES, type ReceiptsAck } from '../lib/api/ledger.ts'
import { UserError } from '../lib/core/errors.ts'
import type { Logger } from '../lib/service/log.ts'
import type { Authenticate } from './auth/bearer.ts'
import { type SidecarCaller, sidecarOf } from './auth/caller.ts'
import { type EvidencePorts, evidenceRoutes } from './evidence/routes.ts'
import type { sendHistory } from './history/send.ts'
import type { BodyBudget } from './http/body.ts'
import { sendError } from './http/errors.ts'
import { turns } from './http/turns.ts'
import { type otlpRelay, SIGNALS, type Signal } from './otlp.ts'
import type { remitStreams } from './remits/stream.ts'

export interface AppPorts {
  authenticate: Authenticate
  /** Username of the operator's ServiceAccount. */
  operator: string
  streams: Pick<ReturnType<typeof remitStreams>, 'serve'>
  bodies: BodyBudget
  take: (caller: SidecarCaller, body: Buffer) => Promise<ReceiptsAck>
  relay: ReturnType<typeof otlpRelay>
  history: ReturnType<typeof sendHistory>
  evidence: EvidencePorts
  log: Logger
}

/** Requests that one pod may have under way: a hostile one must not hold what others need. */
const PER_POD = { receipts: 2, otlp: 4, history: 1 }

/** Every path the ledger answers, and who may ask. */
export const createApp = (ports: AppPorts): Express => {
  const { authenticate, log } = ports
  const receiptTurns = turns(PER_POD.receipts)
  const otlpTurns = turns(PER_POD.otlp)
  const historyTurns = turns(PER_POD.history)
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', false)

  const asSidecar =
    (handler: (caller: SidecarCaller, request: Request, response: Response) => Promise<void> | void) =>
    async (request: Request, response: Response) => {
      try {
        await handler(sidecarOf(await authenticate(request.headers.authorization)), request, response)
      } catch (error) {
        sendError(response, error, log)
      }
    }

  app.get(
    LEDGER_PATHS.remit,
    asSidecar((caller, _, response) => ports.streams.serve(caller, response)),
  )
  app.post(
    LEDGER_PATHS.receipts,
    asSidecar(async (caller, request, response) => {
      const read = () => ports.bodies.read(request, MAX_BATCH_BYTES, (body) => ports.take(caller, body))
      response.json(await receiptTurns.run(caller.podUID, read))
    }),
  )
  app.post(
    `${LEDGER_PATHS.otlp}/v1/:signal`,
    asSidecar(async (caller, request, response) => {
      const signal = request.params.signal as Signal
      if (!SIGNALS.includes(signal)) throw new UserError('NotFound', { what: 'This signal' })
      await otlpTurns.run(caller.podUID, () => ports.relay(caller, signal, request, response))
    }),
  )
  app.get(
    LEDGER_PATHS.history,
    asSidecar((caller, request, response) =>
      historyTurns.run(caller.podUID, () => ports.history(caller, request, response)),
    ),
  )
  const { index } = ports.evidence.store
  for (const [path, read] of [
    [LEDGER_PATHS.counters, index.counters],
    [LEDGER_PATHS.frozen, index.freezes],
  ] as const) {
    app.get(path, async (request, response) => {
      try {
        const caller = await authenticate(request.headers.authorization)
        if (caller.username !== ports.operator) throw new UserError('Forbidden', { detail: 'only the operator may' })
        response.json(read())
      } catch (error) {
        sendError(response, error, log)
      }
    })
  }
  app.use('/v1', (_request, response) => sendError(response, new UserError('NotFound', { what: 'This path' }), log))
  app.use(evidenceRoutes(ports.evidence))
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    // Express itself refuses a path it cannot decode.
    const bad = (error as { status?: number }).status === 400
    sendError(response, bad ? new UserError('MalformedRequest', { detail: 'the path cannot be decoded' }) : error, log)
  })
  return app
}
