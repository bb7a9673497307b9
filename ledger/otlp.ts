import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Response } from 'express'
import { UserError } from '../lib/core/errors.ts'
import type { Logger } from '../lib/service/log.ts'
import type { SidecarCaller } from './auth/caller.ts'

export const SIGNALS = ['traces', 'metrics', 'logs'] as const
export type Signal = (typeof SIGNALS)[number]

export interface RelayOptions {
  /** The collector, as `http://collector.observability:4318`; without one, telemetry is taken and dropped. */
  endpoint?: string
  maxBytes?: number
  /** Requests under way at a time; more are told to come again. */
  concurrent?: number
  timeoutMs?: number
  log: Logger
}

const PASSED_ON = ['content-type', 'content-encoding', 'content-length']
const PASSED_BACK = ['content-type', 'retry-after']

const capped = (maxBytes: number) => {
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      if (size > maxBytes) done(new UserError('RequestTooLarge', { limit: `${maxBytes} bytes` }))
      else done(null, chunk)
    },
  })
}

const pick = (headers: IncomingMessage['headers'], names: string[]) =>
  Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])))

/**
 * Passes OTLP/HTTP on to the collector as it came, in a stream. Who sent it, by its token, goes along in headers
 * (`x-remit-namespace`, `x-remit-agent`, `x-remit-pod`): what the payload says of itself is the agent's word. It is
 * best effort: a collector that is slow or away never holds up a receipt.
 */
export const otlpRelay = (options: RelayOptions) => {
  const { endpoint, maxBytes = 4 * 1024 * 1024, concurrent = 32, timeoutMs = 10_000, log } = options
  const base = endpoint?.replace(/\/+$/, '')
  const send = base?.startsWith('https:') ? httpsRequest : httpRequest
  let underway = 0

  const forward = (caller: SidecarCaller, signal: Signal, request: IncomingMessage) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const identity = {
        'x-remit-namespace': caller.namespace,
        'x-remit-agent': caller.agent,
        'x-remit-pod': caller.podName,
      }
      const target: RequestOptions = {
        method: 'POST',
        headers: { ...pick(request.headers, PASSED_ON), ...identity },
        signal: AbortSignal.timeout(timeoutMs),
      }
      const upstream = send(`${base}/v1/${signal}`, target, resolve)
      upstream.on('error', reject)
      pipeline(request, capped(maxBytes), upstream).catch(reject)
    })
  const drain = async (request: IncomingMessage) => {
    for await (const _ of request.pipe(capped(maxBytes)));
  }

  return async (caller: SidecarCaller, signal: Signal, request: IncomingMessage, response: Response): Promise<void> => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes)
      throw new UserError('RequestTooLarge', { limit: `${maxBytes} bytes` })
    if (underway >= concurrent) throw new UserError('LedgerBusy', { retryAfterSeconds: 5 })
    underway++
    try {
      if (!base) {
        await drain(request)
        response.status(200).setHeader('content-type', request.headers['content-type'] ?? 'application/json')
        response.end(request.headers['content-type']?.startsWith('application/json') ? '{}' : '')
        return
      }
      const answer = await forward(caller, signal, request).catch((error) => {
        if (error instanceof UserError) throw error
        log.warn({ err: error }, 'collector not reached')
        throw new UserError('LedgerUnavailable', { detail: 'the collector cannot be reached' })
      })
      response.writeHead(answer.statusCode ?? 502, pick(answer.headers, PASSED_BACK))
      await pipeline(answer, capped(maxBytes), response)
    } finally {
      underway--
    }
  }
}
