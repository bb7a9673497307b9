import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { LEDGER_PATHS, type Past, type ReceiptsAck } from '../../lib/api/ledger.ts'
import { readCredential } from '../credentials.ts'
import type { RelayTelemetry } from '../otlp.ts'
import type { PostAnswer } from '../spool/drain.ts'

export interface LedgerOptions {
  /** https://<address>:<port> */
  url: string
  /** The name its certificate must show. */
  name: string
  /** Authorities (PEM) to accept it by; asked for each connection, because a remit may replace them. */
  ca: () => string
  /** File of the pod-bound token; read for each request, because the kubelet renews it. */
  tokenFile: string
  /** Milliseconds of silence after which a request is given up, and in which an answer must be whole; 20,000 unless told. */
  silenceMs?: number
  /** The same for the stream of remits, on which the ledger writes a comment at least every 10 s; 25,000 unless told. */
  streamSilenceMs?: number
}

export interface LedgerClient {
  post: (batch: Buffer, signal: AbortSignal) => Promise<PostAnswer>
  /** The head of the stream of remits; rejects unless it is one. */
  openRemits: (signal: AbortSignal) => Promise<IncomingMessage>
  /** What this agent did since then, by all its pods; rejects unless all of it was told. */
  history: (since: Date, take: (past: Past) => void, signal: AbortSignal) => Promise<void>
  relay: RelayTelemetry
  /** Headers of a request that others make (the telemetry exporter). */
  headers: () => Promise<Record<string, string>>
  close: () => void
}

const ANSWER_BYTES = 64 * 1024
/** Telemetry has connections of its own: however much of it waits, receipts and remits never wait behind it. */
const TELEMETRY_CONNECTIONS = 4

const bodyOf = async (response: IncomingMessage, withinMs: number): Promise<string> => {
  let text = ''
  response.setEncoding('utf8')
  const late = setTimeout(() => response.destroy(new Error('the answer of the ledger does not end')), withinMs)
  try {
    for await (const chunk of response) {
      text += chunk
      if (text.length > ANSWER_BYTES) throw new Error('the answer of the ledger is too long')
    }
  } finally {
    clearTimeout(late)
  }
  return text
}

/** @throws Error for what is no acknowledgement, as what something between us and the ledger makes up. */
const ackIn = (text: string): PostAnswer => {
  const { incarnation, seq } = (JSON.parse(text) ?? {}) as Partial<ReceiptsAck>
  if (typeof incarnation !== 'string' || !Number.isSafeInteger(seq))
    throw new Error('what the ledger answered is no acknowledgement')
  return { kind: 'ack', incarnation, seq: seq! }
}

interface LedgerError {
  error?: { code?: string; message?: string; expectedSeq?: number }
}
const errorOf = (status: number | undefined, text: string): LedgerError['error'] & { text: string } => {
  try {
    const { error } = JSON.parse(text) as LedgerError
    return { ...error, text: `the ledger answered ${status}: ${error?.code ?? ''} ${error?.message ?? ''}` }
  } catch {
    return { text: `the ledger answered ${status}` }
  }
}

const pastIn = (line: string): Past => {
  const past = JSON.parse(line) as Past
  if (!Number.isFinite(past?.at)) throw new Error('what the ledger told of the past is not that')
  return past
}

/** HTTPS to the ledger: its certificate is checked against our authorities and its name, each request shows our token. */
export const createLedgerClient = (options: LedgerOptions): LedgerClient => {
  const base = new URL(options.url)
  const { silenceMs = 20_000, streamSilenceMs = 25_000 } = options
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const telemetryAgent = new Agent({ keepAlive: true, maxSockets: TELEMETRY_CONNECTIONS })
  const headers = (): Record<string, string> => ({
    authorization: `Bearer ${readCredential(options.tokenFile) ?? ''}`,
  })

  const open = (
    method: string,
    path: string,
    extra: OutgoingHttpHeaders,
    signal: AbortSignal,
    { timeout = silenceMs, body, through = agent }: { timeout?: number; body?: Buffer; through?: Agent } = {},
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const outgoing = httpsRequest({
        host: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port || 443,
        path,
        method,
        agent: through,
        signal,
        // From the first packet on: a node that is gone does not even refuse a connection.
        timeout,
        servername: options.name,
        ca: options.ca(),
        minVersion: 'TLSv1.3',
        headers: { ...extra, ...headers(), host: options.name, ...(body ? { 'content-length': body.length } : {}) },
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error(`the ledger was silent for ${timeout / 1000} s`)))
      outgoing.once('response', resolve)
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  return {
    post: async (batch, signal) => {
      const response = await open('POST', LEDGER_PATHS.receipts, { 'content-type': 'application/x-ndjson' }, signal, {
        body: batch,
      })
      const text = await bodyOf(response, silenceMs)
      if (response.statusCode === 200) return ackIn(text)
      const error = errorOf(response.statusCode, text)
      if (error.code === 'ReceiptGap' && Number.isSafeInteger(error.expectedSeq))
        return { kind: 'gap', expectedSeq: error.expectedSeq! }
      throw new Error(error.text)
    },
    openRemits: async (signal) => {
      const accept = { accept: 'text/event-stream' }
      const response = await open('GET', LEDGER_PATHS.remit, accept, signal, { timeout: streamSilenceMs })
      if (response.statusCode === 200) return response
      throw new Error(errorOf(response.statusCode, await bodyOf(response, silenceMs)).text)
    },
    history: async (since, take, signal) => {
      const path = `${LEDGER_PATHS.history}?since=${encodeURIComponent(since.toISOString())}`
      const response = await open('GET', path, { accept: 'application/x-ndjson' }, signal)
      if (response.statusCode !== 200)
        throw new Error(errorOf(response.statusCode, await bodyOf(response, silenceMs)).text)
      response.setEncoding('utf8')
      let rest = ''
      for await (const chunk of response) {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        if (rest.length > ANSWER_BYTES) throw new Error('a line of the ledger is too long')
        for (const line of lines) take(pastIn(line))
      }
      if (rest !== '') throw new Error('what the ledger told of the past ends in the middle of a line')
    },
    relay: async (kind, extra, body, signal) => {
      const path = `${LEDGER_PATHS.otlp}/v1/${kind}`
      const response = await open('POST', path, extra, signal, { body, through: telemetryAgent })
      response.resume()
      return response.statusCode ?? 503
    },
    headers: async () => headers(),
    close: () => {
      agent.destroy()
      telemetryAgent.destroy()
    },
  }
}
