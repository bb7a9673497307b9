import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { BackendRequest, BackendSink } from './backend.ts'
import { createParking } from './parking.ts'

const REQUEST: BackendRequest = {
  method: 'tools/call',
  params: { name: 'pay', arguments: { amount: 5 }, _meta: { a: 1 } },
}
const question = (id: string) => ({
  message: { jsonrpc: '2.0', id, method: 'elicitation/create', params: {} },
  raw: '',
})
const given = { action: 'accept', content: {} }

describe('createParking', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const begin = (limits = { parkMs: 1_000, maxParked: 2 }) => {
    const parking = createParking(limits)
    const answered: [unknown, JsonObject][] = []
    const gaveUp: string[] = []
    const client = () => {
      const got: string[] = []
      const sink: BackendSink = {
        onAnswer: (text) => got.push(text),
        onNotification: (message) => got.push(JSON.stringify(message)),
        onLost: (detail, effect) => got.push(`${detail}: ${effect}`),
      }
      return { got, sink, result: () => JSON.parse(got.at(-1)!).result }
    }
    const start = () => {
      const first = client()
      const conversation = parking.begin(REQUEST, {
        answer: (id, body) => answered.push([id, body as JsonObject]),
        giveUp: (reason) => gaveUp.push(reason),
      })
      conversation.attach(first.sink)
      return { conversation, first }
    }
    const retry = (requestState: unknown, inputResponses: object, more: object = {}) => {
      const params = { ...REQUEST.params, ...more, requestState, inputResponses } as JsonObject
      const next = client()
      return { next, found: parking.resume(String(requestState), { ...REQUEST, params }, next.sink) }
    }
    return { parking, start, retry, answered, gaveUp }
  }

  it('asks everything at once, and passes the answers on to the questions they are of', () => {
    const { start, retry, answered } = begin()
    const { conversation, first } = start()
    for (const id of ['q1', 'q2']) conversation.ask(question(id))
    vi.advanceTimersByTime(50)
    const { inputRequests, requestState } = first.result()
    expect(Object.keys(inputRequests)).toEqual(['ask-1', 'ask-2'])
    const { next } = retry(requestState, { 'ask-2': { ...given, content: { n: 2 } }, 'ask-1': given })
    expect(answered).toEqual([
      ['q1', { result: given }],
      ['q2', { result: { ...given, content: { n: 2 } } }],
    ])
    conversation.finish((sink) => sink.onAnswer('{"done":true}'))
    expect(next.got).toEqual(['{"done":true}'])
  })

  it('keeps the end for who is not there', async () => {
    const { start, retry } = begin()
    const { conversation, first } = start()
    conversation.ask(question('q1'))
    vi.advanceTimersByTime(50)
    conversation.finish((sink) => sink.onLost('The server ended', 'unknown'))
    const { next } = retry(first.result().requestState, {})
    await Promise.resolve()
    expect(next.got).toEqual(['The server ended: unknown'])
  })

  it('gives the call up when nobody comes back, and knows its state no more', () => {
    const { start, retry, answered, gaveUp } = begin()
    const { conversation, first } = start()
    conversation.ask(question('q1'))
    vi.advanceTimersByTime(1_100)
    expect(answered).toMatchObject([['q1', { error: { code: -32603 } }]])
    expect(gaveUp).toEqual(['The client did not come back with an answer.'])
    expect(retry(first.result().requestState, {}).found).toBeUndefined()
  })

  it('does not give up what goes on, and gives up what is cancelled', () => {
    const { start, retry, gaveUp } = begin()
    const { conversation, first } = start()
    conversation.ask(question('q1'))
    vi.advanceTimersByTime(50)
    conversation.cancel('late word of the first connection')
    expect(gaveUp).toEqual([])
    retry(first.result().requestState, { 'ask-1': given })
    vi.advanceTimersByTime(5_000)
    expect(gaveUp).toEqual([])
    conversation.cancel('closed')
    expect(gaveUp).toEqual(['closed'])
  })

  it('wants the same request, but for what belongs to one attempt', () => {
    const { start, retry } = begin()
    const { conversation, first } = start()
    conversation.ask(question('q1'))
    vi.advanceTimersByTime(50)
    const { requestState } = first.result()
    expect(retry(requestState, {}, { arguments: { amount: 6 } }).found).toBeUndefined()
    expect(retry(requestState, {}, { _meta: { a: 2 } }).found).toBeDefined()
    expect(retry(requestState, {}).found).toBeUndefined()
  })

  it('parks a bounded number of calls', () => {
    const { start, answered } = begin({ parkMs: 1_000, maxParked: 1 })
    const calls = [start(), start()]
    for (const [index, { conversation }] of calls.entries()) conversation.ask(question(`q${index}`))
    vi.advanceTimersByTime(50)
    expect(calls.map(({ first }) => first.got.length)).toEqual([1, 0])
    expect(answered).toMatchObject([['q1', { error: { message: 'Too many calls wait for input.' } }]])
  })

  it('gives up all that waits when the bridge ends', () => {
    const { start, parking, gaveUp } = begin()
    start().conversation.ask(question('q1'))
    vi.advanceTimersByTime(50)
    parking.close()
    expect(gaveUp).toEqual(['The bridge is ending.'])
  })
})
