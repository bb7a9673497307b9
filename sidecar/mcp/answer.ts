import type { IncomingMessage } from 'node:http'
import { StringDecoder } from 'node:string_decoder'
import { createParser } from 'eventsource-parser'
import type { RequestId } from '../../lib/api/mcp.ts'
import { createBytes } from '../../lib/core/bytes.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { discard, failureOf, UpstreamFailure } from '../upstream.ts'
import { textProblem } from './message-text.ts'

/** A message of a server: parsed, and the text it came as (which is passed on, so that nothing of it changes). */
export interface ServerMessage {
  message: JsonObject
  raw: string
}

/** The stream is over and the answer has not come. */
export class StreamOver extends UpstreamFailure {
  override name = 'StreamOver'
}

/** Where a stream has got to, and how long its server wants to be left alone before it is gone on with. */
export interface Mark {
  eventId?: string
  retryMs?: number
  /** How often it was gone on with since the last message. */
  comeBacks?: number
}

/** What a header can hold of an event's id. */
const EVENT_ID = /^[\x21-\x7e]{1,1024}$/

const invalid = (detail: string) => new UpstreamFailure('invalid', detail, true)
/** Ends a stream that goes on after its answer came. */
const LINGER_MS = 1_000

const parseMessage = (raw: string): JsonObject => {
  const problem = textProblem(raw)
  if (problem !== undefined) throw invalid(`a message is not one to read: ${problem}`)
  let value: unknown
  try {
    value = JSON.parse(raw)
  } catch {
    throw invalid('the body is not JSON')
  }
  if (!isObject(value) || value.jsonrpc !== '2.0') throw invalid('a message is not JSON-RPC 2.0')
  return value
}

/** Reads a server's event stream message by message until it ends; rejects when it breaks or a message is not one. */
export const readStream = (
  response: IncomingMessage,
  options: { maxBytes: number; signal: AbortSignal; mark?: Mark; onMessage: (message: ServerMessage) => void },
): Promise<void> =>
  new Promise((resolve, reject) => {
    const decoder = new StringDecoder('utf8')
    let since = 0
    let isStopped = false
    const stop = (failure: UpstreamFailure) => {
      // What came with it in one packet is still told.
      isStopped = true
      reject(failure)
      response.destroy(failure)
    }
    const parser = createParser({
      onRetry: (retryMs) => {
        if (options.mark) options.mark.retryMs = retryMs
      },
      onEvent: ({ id, data }) => {
        since = 0
        if (options.mark && id && EVENT_ID.test(id)) options.mark.eventId = id
        if (options.mark && data) options.mark.comeBacks = 0
        if (data) options.onMessage({ message: parseMessage(data), raw: data })
      },
    })
    response.on('data', (chunk: Buffer) => {
      if (isStopped) return
      since += chunk.length
      try {
        parser.feed(decoder.write(chunk))
      } catch (error) {
        stop(error instanceof UpstreamFailure ? error : invalid((error as Error).message))
        return
      }
      if (since > options.maxBytes) stop(invalid(`a message is over ${options.maxBytes} bytes`))
    })
    response.once('end', resolve)
    response.once('error', (error) =>
      reject(
        error instanceof UpstreamFailure
          ? error
          : options.signal.aborted
            ? failureOf(options.signal)
            : new StreamOver('unreachable', 'the connection broke off', true),
      ),
    )
  })

const readWhole = (response: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    const body = createBytes()
    response.on('data', (chunk: Buffer) => {
      body.add(chunk)
      if (body.size() > maxBytes) response.destroy(invalid(`the body is over ${maxBytes} bytes`))
    })
    response.once('end', () => resolve(body.take().toString('utf8')))
    response.once('error', (error) =>
      reject(
        error instanceof UpstreamFailure
          ? error
          : signal.aborted
            ? failureOf(signal)
            : new UpstreamFailure('unreachable', 'the connection broke off', true),
      ),
    )
  })

/** Whether a gateway before the server, such as our bridge, says that nobody knows what came of the request. */
const isLost = ({ error }: JsonObject): boolean =>
  isObject(error) && isObject(error.data) && error.data.effect === 'unknown'

const mediaType = (response: IncomingMessage) =>
  (response.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()

/**
 * The server's answer to request `id`, from a JSON body or an event stream; what else comes on the stream goes to
 * `onMessage` in order. Rejects with UpstreamFailure for everything that is not MCP.
 */
export const readAnswer = async (
  response: IncomingMessage,
  options: {
    id: RequestId
    maxBytes: number
    signal: AbortSignal
    mark?: Mark
    onMessage: (message: ServerMessage) => void
  },
): Promise<ServerMessage> => {
  if (response.statusCode !== 200) {
    discard(response)
    throw invalid(`HTTP ${response.statusCode}`)
  }
  const type = mediaType(response)
  const encoding = response.headers['content-encoding']
  if ((type !== 'application/json' && type !== 'text/event-stream') || (encoding && encoding !== 'identity')) {
    response.destroy()
    throw invalid(
      encoding ? `content encoding ${encoding.slice(0, 20)}` : `content type ${type.slice(0, 60) || 'missing'}`,
    )
  }
  const isAnswer = (message: JsonObject) => !('method' in message)
  const check = (answer: ServerMessage) => {
    if (answer.message.id !== options.id) throw invalid('the answer has another id than the request')
    if ('result' in answer.message === 'error' in answer.message)
      throw invalid('the answer has neither or both of result and error')
    if ('result' in answer.message ? !isObject(answer.message.result) : !isObject(answer.message.error))
      throw invalid('the result or error is not an object')
    // As an error of the server's own it would count as not made, and frameworks keep errors from their models.
    if (isLost(answer.message)) throw new UpstreamFailure('unreachable', 'the call was lost on the way', true)
    return answer
  }
  if (type === 'application/json') {
    const raw = await readWhole(response, options.maxBytes, options.signal)
    return check({ message: parseMessage(raw), raw })
  }
  return new Promise((resolve, reject) => {
    let answered = false
    readStream(response, {
      ...options,
      onMessage: (next) => {
        if (answered) return
        if (!isAnswer(next.message)) {
          options.onMessage(next)
          return
        }
        resolve(check(next))
        answered = true
        const timer = setTimeout(() => response.destroy(), LINGER_MS).unref()
        response.once('close', () => clearTimeout(timer))
      },
    }).then(() => reject(new StreamOver('invalid', 'the stream ended without an answer', true)), reject)
  })
}
