import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
/** Where telemetry goes on to; resolves with the status of the collector's (or ledger's) answer. */
export type RelayTelemetry = (
  signal: 'traces' | 'metrics' | 'logs',
  headers: OutgoingHttpHeaders,
  body: Buffer,
  abort: AbortSignal,
) => Promise<number>
/**
 * `/otlp/v1/{traces,metrics,logs}`: the agent's telemetry, passed on as it is. Without anywhere to pass it to it is
 * taken and dropped, so that an instrumented agent does not retry for nothing.
 */
export declare const createTelemetryHandler: (
  relay: RelayTelemetry | undefined,
) => (request: IncomingMessage, response: ServerResponse, signal: string) => Promise<void>
