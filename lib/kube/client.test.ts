import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Client, createClient } from './client.ts'
import { ApiError, ConnectionError, isExpired, retryAfterOf } from './errors.ts'
import { loadKubeConfig } from './kubeconfig.ts'

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

/** A client of a plain server that answers as told. */
const against = async (answer: (request: IncomingMessage, response: ServerResponse) => void, path = '') => {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const text = JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'secret-token' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })
  const client = createClient(loadKubeConfig({ from: 'text', text }))
  cleanUps.push(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  return client
}

const failureOf = (client: Client, options = {}): Promise<ApiError> =>
  client.request('GET', '/x', options).then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  )

test('a request carries the credential, the query and the body, below the server’s own path', async () => {
  const client = await against((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const { method, url, headers } = request
      response.end(
        JSON.stringify({ method, url, authorization: headers.authorization, type: headers['content-type'], body }),
      )
    })
  }, '/clusters/one/')
  const sent = await client.request('PATCH', '/api/v1/pods', {
    query: { labelSelector: 'a=b,c', limit: 3, none: undefined },
    contentType: 'application/merge-patch+json',
    body: { größe: 1 },
  })
  expect(sent).toEqual({
    method: 'PATCH',
    url: '/clusters/one/api/v1/pods?labelSelector=a%3Db%2Cc&limit=3',
    authorization: 'Bearer secret-token',
    type: 'application/merge-patch+json',
    body: '{"größe":1}',
  })
})

test('an error has the Status’ reason and what to wait', async () => {
  const client = await against((_request, response) => {
    response.writeHead(410, { 'retry-after': '2' })
    const details = { causes: [{ message: 'an echo of the object' }] }
    response.end(JSON.stringify({ kind: 'Status', code: 410, reason: 'Expired', message: 'too old', details }))
  })
  const error = await failureOf(client)
  expect(error).toBeInstanceOf(ApiError)
  expect([error.message, isExpired(error), retryAfterOf(error)]).toEqual(['too old', true, 2_000])
  expect(error.status.details?.causes?.length).toBe(1)
  expect(JSON.stringify({ ...error })).not.toContain('echo')
})

test.each(['99999999', '1e400'])(
  'a server that asks to wait for %s seconds is not waited for so long',
  async (asked) => {
    const error = await failureOf(
      await against((_request, response) => {
        response.writeHead(429, { 'retry-after': asked })
        response.end('Too many requests')
      }),
    )
    // A timer takes less than 25 days, and fires at once when asked for more.
    expect(retryAfterOf(error)).toBe(300_000)
  },
)

test('an error that is no Status is one all the same, cut short', async () => {
  const client = await against((_request, response) => {
    response.writeHead(502)
    response.end('<html>'.repeat(1_000))
  })
  const error = await failureOf(client)
  expect(error.code).toBe(502)
  expect(error.message.length).toBeLessThanOrEqual(200)
})

test('no answer in time is a connection error, which tells no secret', async () => {
  const error = await failureOf(await against(() => {}), { timeoutMs: 50 })
  expect(error).toBeInstanceOf(ConnectionError)
  expect(error.message).toContain('GET /x')
  expect(error.message).not.toContain('secret-token')
})

test('the caller’s own abort is not taken for a failure of the network', async () => {
  const client = await against(() => {})
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 20)
  const error = await failureOf(client, { signal: stop.signal })
  expect(error.name).toBe('AbortError')
})

test('a kept connection the server closed meanwhile: a read is sent again, a write is not', async () => {
  const calls: string[] = []
  const client = await against((request, response) => {
    calls.push(request.method ?? '')
    // Every second request on a connection finds it closing.
    if (calls.length % 2 === 0) return request.socket.resetAndDestroy()
    response.end('{}')
  })
  await client.request('GET', '/one')
  await client.request('GET', '/two')
  expect(calls).toEqual(['GET', 'GET', 'GET'])
  await expect(client.request('POST', '/three', { body: {} })).rejects.toBeInstanceOf(ConnectionError)
  expect(calls).toEqual(['GET', 'GET', 'GET', 'POST'])
})

test('the wait for a stream’s headers is bounded, the stream itself is not', async () => {
  const client = await against((request, response) => {
    if (request.url === '/late') return
    response.flushHeaders()
    setTimeout(() => response.end('{"a":1}\n'), 500)
  })
  await expect(client.stream('/late', { timeoutMs: 50 })).rejects.toBeInstanceOf(ConnectionError)
  const lines: string[] = []
  for await (const line of await client.stream('/slow', { timeoutMs: 300 })) lines.push(line)
  expect(lines).toEqual(['{"a":1}'])
})

test('what is under way goes on when the credentials of the connection are replaced', async () => {
  let answer = () => {}
  const server = createServer((request, response) => {
    if (request.url === '/quick') return void response.end('{}')
    answer = () => void response.end('{"slow":true}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const kubeConfig = loadKubeConfig({
    from: 'text',
    text: JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: url } }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  })
  let ca = 'first'
  kubeConfig.applyToHTTPSOptions = async (options) => {
    options.ca = ca
  }
  let now = 0
  const client = createClient(kubeConfig, () => now)
  cleanUps.push(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  const slow = client.request('POST', '/slow', { body: {} })
  await client.request('GET', '/quick')
  const connections = () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)))
  ca = 'first and next'
  now += 60_000
  await client.request('GET', '/quick')
  answer()
  expect(await slow).toEqual({ slow: true })
  // Nothing of the old credentials is kept for later.
  await expect.poll(connections).toBe(1)
})

test('what asks in bursts keeps its connections from one to the next', async () => {
  const sockets = new Set<unknown>()
  const client = await against((request, response) => {
    sockets.add(request.socket)
    setTimeout(() => response.end('{}'), 20)
  })
  const burst = () => Promise.all(Array.from({ length: 40 }, () => client.request('GET', '/x')))
  await burst()
  const first = sockets.size
  await burst()
  expect(sockets.size).toBe(first)
})
