import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Standalone } from '../../sidecar/standalone.ts'
import { bodies, createWorld, openGate, readReceipts } from './world.ts'

describe('a model behind the gate', () => {
  const world = createWorld()
  let gate: Standalone
  let answer: (request: IncomingMessage, response: ServerResponse) => void
  const seen: { url?: string; headers: IncomingMessage['headers']; body: string }[] = []
  const last = () => bodies(readReceipts(world.path('data')), 'result').at(-1)

  beforeAll(async () => {
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        seen.push({ url: request.url, headers: request.headers, body })
        answer(request, response)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    world.onClose(() => server.closeAllConnections())
    world.onClose(() => server.close())
    writeFileSync(world.path('model-key'), 'sk-of-the-model')
    gate = await openGate(world, {
      models: { main: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` },
      credentialFiles: { main: world.path('model-key') },
    })
  })
  afterAll(() => world.close())

  const json = (response: ServerResponse, value: unknown, status = 200) =>
    response
      .writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'r-1', 'set-cookie': 'a=b' })
      .end(JSON.stringify(value))
  const ask = (path: string, body: object = { model: 'gpt-x', messages: [] }) =>
    fetch(`${gate.url}/llm/main${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer remit', cookie: 'c=d' },
      body: JSON.stringify(body),
    })

  it('gets the credential the agent does not have, and its tokens are recorded', async () => {
    answer = (_request, response) =>
      json(response, { model: 'gpt-x-2026', choices: [], usage: { prompt_tokens: 12, completion_tokens: 5 } })
    const response = await ask('/chat/completions?x=1')
    expect(await response.json()).toMatchObject({ model: 'gpt-x-2026' })
    expect([response.headers.get('x-request-id'), response.headers.get('set-cookie')]).toEqual(['r-1', null])
    expect(seen.at(-1)).toMatchObject({
      url: '/v1/chat/completions?x=1',
      headers: { authorization: 'Bearer sk-of-the-model' },
    })
    expect(seen.at(-1)!.headers.cookie).toBeUndefined()
    await expect.poll(last).toMatchObject({
      outcome: 'ok',
      model: { responseModel: 'gpt-x-2026', inputTokens: 12, outputTokens: 5, status: 200 },
    })
    const receipts = readReceipts(world.path('data'))
    expect(bodies(receipts, 'intent').at(-1)?.call).toMatchObject({
      type: 'model',
      model: 'main',
      method: 'POST',
      path: '/chat/completions?x=1',
      requestedModel: 'gpt-x',
    })
    expect(JSON.stringify(receipts)).not.toContain('sk-of-the-model')
  })

  it('streams, and is read along with', async () => {
    // The model says no more before the agent has its beginning: a gate that waits for the rest would wait for ever.
    let goOn = () => {}
    const begun = new Promise<void>((resolve) => {
      goOn = resolve
    })
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(
        'event: message_start\ndata: {"type":"message_start","message":{"model":"claude-x","usage":{"input_tokens":7,"cache_read_input_tokens":3,"output_tokens":1}}}\n\n',
      )
      void begun.then(() => {
        response.write('data: {"type":"content_block_delta","delta":{"text":"h\u00e9llo"}}\n\n')
        response.end('event: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":9}}\n\n')
      })
    }
    const response = await ask('/messages', { model: 'claude-x', stream: true })
    const reader = response.body!.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('message_start')
    goOn()
    while (!(await reader.read()).done);
    await expect
      .poll(last)
      .toMatchObject({ outcome: 'ok', model: { responseModel: 'claude-x', inputTokens: 10, outputTokens: 9 } })
  })

  it('that is not declared is answered 404 with its code', async () => {
    const response = await fetch(`${gate.url}/llm/other/chat`, { method: 'POST', body: '{}' })
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
      404,
      'UnknownModel',
    ])
  })

  it.each(['/%2e%2e/admin', '/..%2fadmin', '/a\\..\\b'])('is not left by the path %s', async (path) => {
    const { request } = await import('node:http')
    const before = seen.length
    const status = await new Promise((resolve) =>
      request({ host: '127.0.0.1', port: gate.port, path: `/llm/main${path}`, method: 'GET' }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).end(),
    )
    expect([status, seen.length]).toEqual([400, before])
  })

  it('that refuses or breaks off is passed on and recorded so', async () => {
    answer = (_request, response) => json(response, { error: { message: 'quota' } }, 429)
    expect((await ask('/chat/completions')).status).toBe(429)
    await expect.poll(last).toMatchObject({ outcome: 'error', model: { status: 429 } })
    answer = (_request, response) => response.destroy()
    expect((await ask('/chat/completions')).status).toBe(502)
    await expect.poll(last).toMatchObject({ outcome: 'unreachable' })
  })

  it('without its credential is not called at all', async () => {
    const before = seen.length
    writeFileSync(world.path('model-key'), '')
    expect((await ask('/chat/completions')).status).toBe(503)
    expect(seen.length).toBe(before)
    writeFileSync(world.path('model-key'), 'sk-rotated')
    answer = (_request, response) => json(response, {})
    await ask('/chat/completions')
    expect(seen.at(-1)!.headers.authorization).toBe('Bearer sk-rotated')
  })
})
