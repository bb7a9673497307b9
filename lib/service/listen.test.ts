import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Listening, listen } from './listen.ts'

const log = { warn: () => {} }
const here = { host: '127.0.0.1', port: 0, log }
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})

const serve = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Listening> => {
  const listening = await listen(createServer(answer), here)
  cleanups.push(() => listening.close(0))
  return listening
}
const ask = async (port: number): Promise<IncomingMessage> => {
  const asked = request({ port, host: '127.0.0.1', agent: false, headers: { connection: 'keep-alive' } })
  asked.end()
  return (await once(asked, 'response'))[0]
}
const bytesOf = async (response: IncomingMessage): Promise<number> => {
  let bytes = 0
  for await (const chunk of response) bytes += (chunk as Buffer).length
  return bytes
}
const begun = () => {
  let begin = () => {}
  return { promise: new Promise<void>((resolve) => (begin = resolve)), begin: () => begin() }
}

test('connections that answer nothing end at once, used ones and new ones alike', async () => {
  const listening = await serve((_request, response) => response.end('ok'))
  await bytesOf(await ask(listening.port))
  const unused = connect(listening.port, '127.0.0.1')
  await once(unused, 'connect')
  const gone = once(unused, 'close')
  await listening.close(60_000)
  await gone
})

test('an answer under way is finished, and then nothing is waited for', async () => {
  const { promise, begin } = begun()
  let finish = () => {}
  const listening = await serve((_request, response) => {
    finish = () => response.end('ok')
    begin()
  })
  const answer = ask(listening.port)
  await promise
  let closed = false
  const closing = listening.close(60_000).then(() => {
    closed = true
  })
  await expect(ask(listening.port)).rejects.toThrow(/ECONNREFUSED/)
  expect(closed).toBe(false)
  finish()
  expect(await bytesOf(await answer)).toBe(2)
  await closing
})

test('an answer that is written arrives whole, however slowly it is read', async () => {
  const listening = await serve((_request, response) => response.end(Buffer.alloc(30_000_000)))
  const response = await ask(listening.port)
  const closing = listening.close(60_000)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(await bytesOf(response)).toBe(30_000_000)
  await closing
})

test('after the time that is given all ends', async () => {
  const { promise, begin } = begun()
  const listening = await serve(begin)
  const answer = ask(listening.port)
  const failed = expect(answer).rejects.toThrow(/socket hang up|ECONNRESET/)
  await promise
  await listening.close(50)
  await failed
})

test('a connection that never shakes hands keeps no TLS server from ending', async () => {
  const listening = await listen(createHttps({}), here)
  const silent = connect(listening.port, '127.0.0.1')
  await once(silent, 'connect')
  const gone = once(silent, 'close')
  // The server has it when it has taken another that came later.
  const later = connect(listening.port, '127.0.0.1')
  later.on('error', () => {})
  later.end('x')
  await once(later, 'close')
  await listening.close(60_000)
  await gone
})

test('a port that is taken is told', async () => {
  const listening = await serve(() => {})
  await expect(listen(createServer(), { ...here, port: listening.port })).rejects.toThrow(/EADDRINUSE/)
})
