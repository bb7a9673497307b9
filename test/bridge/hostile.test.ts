import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import {
  callModern,
  createWorld,
  FIXTURE,
  HEADERS,
  isAlive,
  modern,
  openSession,
  sleep,
  textOf,
  type World,
} from './bridge.ts'

describe('a server that misbehaves', () => {
  let world: World
  afterEach(() => world.close())
  const start = async (options: string[] = [], flags: string[] = [], env: Record<string, string> = {}) => {
    world = createWorld()
    const bridge = await world.bridge([...FIXTURE, ...options], flags, env)
    await bridge.ready()
    return bridge
  }

  it('dies in the middle of a call: the call is answered, the session is over, another begins', async () => {
    const bridge = await start()
    const session = await openSession(bridge.url)
    const other = await openSession(bridge.url)
    const calls = await Promise.all([session.call('late', { ms: 20_000 }, 1), session.call('die', {}, 2)])
    for (const [index, call] of calls.entries()) {
      expect(call).toMatchObject({ id: index + 1, error: { code: -32603, data: { effect: 'unknown' } } })
      expect(call.error.message).toMatch(/ended by SIGKILL.*may have taken effect/)
    }
    await eventually(async () => (await session.post({ id: 3, method: 'ping' })).status === 404)
    expect((await openSession(bridge.url)).status).toBe(200)
    expect(textOf(await other.call('count'))).toBe('1')
    expect((await bridge.health()).status).toBe(200)
  })

  it('is started again when it dies before clients without sessions, later each time', async () => {
    const bridge = await start()
    for (let time = 0; time < 3; time++) {
      const lost = await callModern(bridge.url, 'die')
      expect(lost.error.data).toEqual({ effect: 'unknown' })
      await bridge.ready()
      expect(textOf(await callModern(bridge.url, 'echo', { text: 'back' }))).toBe('back')
    }
    const waits = (await bridge.logged('the server is not there; it is started again', 3)).map(({ retryInMs }) =>
      Number(retryInMs),
    )
    expect(waits).toHaveLength(3)
    expect(waits[2]).toBeGreaterThan(waits[0]! + 200)
  })

  it('floods, writes junk, halves of lines and lines that are too long', async () => {
    const bridge = await start(['junk'], ['--max-message-bytes', '100000', '--max-messages-per-second', '100000'])
    const session = await openSession(bridge.url)
    expect(textOf(await session.call('junk'))).toBe('after junk')
    expect(textOf(await session.call('half'))).toBe('é halves')
    expect(textOf(await session.call('flood', { lines: 20_000 }))).toBe('flooded')
    const huge = await session.call('huge', { bytes: 200_000 }, 'h')
    expect(huge).toMatchObject({ id: 'h', error: { data: { effect: 'unknown' } } })
    expect(huge.error.message).toMatch(/at most 100000 are passed on/)
    expect(textOf(await session.call('huge', { bytes: 90_000 }))).toHaveLength(90_000)
    const skipped = await bridge.logged('the server wrote a line that is not a message; it was skipped', 4)
    // Of a flood little is logged, and nothing of what was in it.
    expect(skipped.length).toBeLessThan(30)
    expect(JSON.stringify(bridge.log())).not.toMatch(/flood 1|Starting up/)
  })

  it('nests what it writes so deep that it cannot be written again', async () => {
    const bridge = await start()
    const meta = { 'io.modelcontextprotocol/logLevel': 'debug' }
    const answer = await callModern(bridge.url, 'deep', { depth: 200_000 }, { meta })
    expect(answer.error).toMatchObject({ data: { effect: 'unknown' } })
    expect(textOf(await callModern(bridge.url, 'echo', { text: 'alive' }))).toBe('alive')
  })

  it('writes more than a client reads: the client is given up, and little is held for it', async () => {
    const bridge = await start([], ['--max-messages-per-second', '1000000'])
    const session = await openSession(bridge.url)
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'notes', arguments: { count: 20_000 } },
    })
    const socket = connect(Number(new URL(bridge.url).port), '127.0.0.1')
    const headers = { ...HEADERS, ...session.headers, host: 'localhost', 'content-length': body.length }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    socket.write(`POST /mcp HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
    socket.pause()
    socket.on('error', () => {})
    world.onClose(() => socket.destroy())
    await eventually(async () => Number(textOf(await session.call('count', {}, 2))) > 1_000, { timeoutMs: 25_000 })
    const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${bridge.child.pid}/status`, 'utf8'))![1]
    expect(Number(rss)).toBeLessThan(220_000)
  })

  it('has to wait when it sends too much', async () => {
    const bridge = await start([], ['--max-messages-per-second', '1000'])
    const began = performance.now()
    expect(textOf(await callModern(bridge.url, 'flood', { lines: 5_000 }))).toBe('flooded')
    expect(performance.now() - began).toBeGreaterThan(1_500)
    expect((await bridge.logged('the server sends too many messages, so it has to wait')).length).toBeGreaterThan(0)
  })

  it('storms on standard error: some lines pass, plain, the rest is counted', async () => {
    const bridge = await start([], ['--max-stderr-per-second', '10'])
    expect(textOf(await callModern(bridge.url, 'storm', { lines: 2_000 }))).toBe('stormed')
    await sleep(1_200)
    await callModern(bridge.url, 'storm', { lines: 1 })
    const lines = (await bridge.logged('the server wrote to standard error', 11)).map(({ line }) => String(line))
    expect(lines[0]).toBe('line 0')
    expect(lines.length).toBeLessThan(40)
    await eventually(async () => {
      const left = await bridge.logged('lines of standard error were left out: the server writes too many')
      return left.reduce((sum, { lines: count }) => sum + Number(count), 0) > 1_900
    })
  })

  it('starts slowly', async () => {
    world = createWorld()
    const bridge = await world.bridge([...FIXTURE, 'slow=4000'])
    const before = await bridge.health()
    expect(before).toEqual({ status: 503, text: 'the server is starting\n' })
    // Who comes too early waits; the greeting falls back after a silence and ends well.
    expect(textOf(await callModern(bridge.url, 'echo', { text: 'at last' }))).toBe('at last')
    expect((await bridge.health()).status).toBe(200)
  })

  it('ends as it starts: the bridge says why, is not ready and keeps trying', async () => {
    world = createWorld()
    const starts = join(world.dir, 'starts')
    const bridge = await world.bridge([...FIXTURE, `starts=${starts}`, 'exit'])
    await eventually(async () => (await bridge.health()).text.includes('exit code 3'))
    expect((await bridge.health()).status).toBe(503)
    const refused = await modern(bridge.url, 'tools/list')
    expect(refused.status).toBe(503)
    expect(((await refused.json()) as { error: object }).error).toMatchObject({
      data: { effect: 'none' },
      message: expect.stringMatching(/exit code 3/),
    })
    expect((await openSession(bridge.url)).status).toBe(503)
    await eventually(() => readFileSync(starts, 'utf8').trim().split('\n').length >= 3)
    expect((await bridge.logged('the server wrote to standard error'))[0]).toMatchObject({
      line: 'cannot find my settings',
    })
  })

  it('is not there at all', async () => {
    world = createWorld()
    const bridge = await world.bridge(['/no/such/program'])
    await eventually(async () => (await bridge.health()).text.includes('there is no such program'))
  })

  it('gets the environment without what is ours', async () => {
    const bridge = await start([], [], { REMIT_SECRET: 'no', THEIRS: 'yes' })
    const env = JSON.parse(textOf(await callModern(bridge.url, 'env'))!)
    expect(env.THEIRS).toBe('yes')
    expect(Object.keys(env).filter((name) => name.startsWith('REMIT_'))).toEqual([])
  })
})

describe('the end', () => {
  let world: World
  afterEach(() => world.close())
  const pids = (file: string) => readFileSync(file, 'utf8').trim().split('\n').map(Number)

  it('comes in order, also to a server that is deaf', async () => {
    world = createWorld()
    const file = join(world.dir, 'starts')
    const bridge = await world.bridge([...FIXTURE, `starts=${file}`, 'deaf'])
    await bridge.ready()
    await openSession(bridge.url)
    expect(pids(file)).toHaveLength(2)
    expect(await bridge.stop()).toBe(0)
    expect(pids(file).filter(isAlive)).toEqual([])
  })

  it.each([[[]], [['deaf']]])('leaves nothing behind when the bridge is killed (%j)', async (options) => {
    world = createWorld()
    const file = join(world.dir, 'starts')
    const bridge = await world.bridge([...FIXTURE, `starts=${file}`, ...options])
    await bridge.ready()
    await openSession(bridge.url)
    const servers = pids(file)
    expect(servers.filter(isAlive)).toHaveLength(2)
    bridge.child.signal('SIGKILL')
    await bridge.child.exited
    await eventually(() => servers.every((pid) => !isAlive(pid)))
  })
})

describe('who may come in', () => {
  let world: World
  afterEach(() => world.close())

  it('only who has the token, which may be exchanged', async () => {
    world = createWorld()
    const file = join(world.dir, 'token')
    writeFileSync(file, 'first-token\n')
    const bridge = await world.bridge(FIXTURE, ['--token-file', file])
    await bridge.ready()
    const status = async (authorization?: string) =>
      (await modern(bridge.url, 'tools/list', {}, authorization ? { headers: { authorization } } : {})).status
    expect(await status()).toBe(401)
    expect(await status('Bearer first-toke')).toBe(401)
    expect(await status('Basic first-token')).toBe(401)
    expect(await status('Bearer first-token')).toBe(200)
    writeFileSync(file, 'second-token')
    expect(await status('Bearer first-token')).toBe(401)
    expect(await status('Bearer second-token')).toBe(200)
    writeFileSync(file, '')
    expect(await status('Bearer ')).toBe(503)
  })

  it('no page, and nobody who takes this machine for another', async () => {
    world = createWorld()
    const bridge = await world.bridge(FIXTURE, ['--allow-origin', 'https://tool.example'])
    await bridge.ready()
    const origin = async (value: string) =>
      (await modern(bridge.url, 'tools/list', {}, { headers: { origin: value } })).status
    expect(await origin('https://evil.example')).toBe(403)
    expect(await origin('null')).toBe(403)
    expect(await origin('https://tool.example')).toBe(200)
    const { port } = new URL(bridge.url)
    const rebound = await requestWithHost(Number(port), `evil.example:${port}`)
    expect(rebound).toBe(403)
    expect(await requestWithHost(Number(port), `localhost:${port}`)).toBe(405)
  })
})

const requestWithHost = (port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path: '/mcp', headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .once('error', reject)
      .end()
  })
