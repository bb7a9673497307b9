import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { type HeldBytes, readBody, refuseBody } from './body.ts'
import { within } from './mcp/forward.ts'

/** Where telemetry goes on to; resolves with the status of the collector's (or ledger's) answer. */
export type RelayTelemetry = (
  signal: 'traces' | 'metrics' | 'logs',
  headers: OutgoingHttpHeaders,
  body: Buffer,
  abort: AbortSignal,
) => Promise<number>

const MAX_BYTES = 4 * 1024 * 1024
const RELAY_MS = 10_000
const SIGNALS = new Set(['traces', 'metrics', 'logs'])

/**
 * `/otlp/v1/{traces,metrics,logs}`: the agent's telemetry, passed on as it is. Without anywhere to pass it to it is
 * taken and dropped, so that an instrumented agent does not retry for nothing.
 */
export const createTelemetryHandler =
  (bytes: HeldBytes, relay: RelayTelemetry | undefined) =>
  async (request: IncomingMessage, response: ServerResponse, signal: string): Promise<void> => {
    if (request.method !== 'POST' || !SIGNALS.has(signal)) {
      response.writeHead(request.method === 'POST' ? 404 : 405).end()
      return
    }
    const type = request.headers['content-type'] ?? ''
    if (!/^application\/(json|x-protobuf)\s*(;|$)/.test(type)) return refuseBody(request, response, 415, '{}')
    const body = await readBody(request, response, MAX_BYTES, bytes)
    if (!body) return refuseBody(request, response, 413, '{}')
    let status = 200
    if (relay) {
      const limit = within(RELAY_MS)
      const encoding = request.headers['content-encoding']
      status = await relay(
        signal as 'traces',
        { 'content-type': type, ...(encoding ? { 'content-encoding': encoding } : {}) },
        body,
        limit.signal,
      ).catch(() => 503)
      limit.done()
    }
    response.writeHead(status, { 'content-type': type })
    response.end(status === 200 && type.startsWith('application/json') ? '{}' : '')
  }
