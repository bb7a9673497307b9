import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EventId, readEventId } from './event-id.ts'
import { createStreams, type Stream, type StreamOptions } from './streams.ts'

const PATIENT = { timeout: 5_000 }
/** A real connection: the answer to give, and what its reader gets of it. */
let connect: () => Promise<{ response: ServerResponse; text: () => Promise<string>; drop: () => void }>
let close: () => Promise<void>
beforeEach(async () => {
  const waiting: ((response: ServerResponse) => void)[] = []
  const server = createServer((_request, response) => waiting.shift()?.(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  connect = async () => {
    const controller = new AbortController()
    const arrives = new Promise<ServerResponse>((resolve) => waiting.push(resolve))
    const answer = fetch(url, { signal: controller.signal })
    answer.catch(() => {})
    const response = await arrives
    return { response, text: async () => (await answer).text(), drop: () => controller.abort() }
  }
  close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
})
afterEach(() => close())

const said = (text: string) => [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => data)
const idsIn = (text: string) => [...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => readEventId(id!)!)
const LIMITS = { maxBytes: 100_000, returnMs: 5_000 }

describe('a stream to an agent', () => {
  const begin = async (streams: ReturnType<typeof createStreams>, more: Partial<StreamOptions> = {}) => {
    const connection = await connect()
    let count = 0
    const onGone = () => void count++
    const stream = streams.begin(connection.response, { session: 'mine', primed: true, onGone, ...more })
    return { ...connection, stream, gone: () => count }
  }
  /** Says so much that the agent misses all but the first, whose id it has. */
  const missed = async (streams: ReturnType<typeof createStreams>, more: Partial<StreamOptions> = {}) => {
    const { stream, response, text, drop, gone } = await begin(streams, more)
    stream.pause()
    const [seen] = idsIn(await text())
    drop()
    expect(response.writableEnded).toBe(true)
    return { stream, seen: seen!, gone }
  }
  const back = async (streams: ReturnType<typeof createStreams>, seen: EventId, session = 'mine') => {
    const { response, text, drop } = await connect()
    const went = streams.resume(response, session, seen)
    if (went !== 'resumed') drop()
    return { went, text }
  }
  it('goes on after what its agent saw, and is over once it has all', async () => {
    const streams = createStreams(LIMITS)
    const { stream, seen, gone } = await missed(streams, { about: 7 })
    expect(seen).toEqual({ stream: expect.any(String), about: 7, at: 0 })
    for (const one of ['a', 'b']) stream.send(one)
    const { text } = await back(streams, seen)
    stream.end('c')
    const all = await text()
    expect(said(all)).toEqual(['a', 'b', 'c'])
    expect(idsIn(all).map(({ at }) => at)).toEqual([1, 2, 'end'])
    expect(said(await (await back(streams, { ...seen, at: 1 })).text())).toEqual(['b', 'c'])
    expect((await back(streams, { ...seen, at: 3 })).went).toBe('over')
    expect((await back(streams, { ...seen, at: 'end' })).went).toBe('over')
    expect(gone()).toBe(0)
  })

  it('is nobody else’s', async () => {
    const streams = createStreams(LIMITS)
    const { stream, seen } = await missed(streams)
    stream.send('secret')
    expect((await back(streams, seen, 'other')).went).toBe('lost')
    expect((await back(streams, seen)).went).toBe('resumed')
  })

  it('is given up when nobody comes back in time, and then is lost', async () => {
    const streams = createStreams({ ...LIMITS, returnMs: 200 })
    const { stream, seen, gone } = await missed(streams)
    await expect.poll(gone, PATIENT).toBe(1)
    stream.send('a')
    stream.end('b')
    expect((await back(streams, seen)).went).toBe('lost')
  })

  it('does not wait for ever for one who came back and was gone at once', async () => {
    const streams = createStreams({ ...LIMITS, returnMs: 200 })
    const { seen, gone } = await missed(streams)
    const { response, drop } = await connect()
    drop()
    await expect.poll(() => response.destroyed, PATIENT).toBe(true)
    expect(streams.resume(response, 'mine', seen)).toBe('resumed')
    await expect.poll(gone, PATIENT).toBe(1)
  })

  it('that has ended is kept for as long, and given up by nobody', async () => {
    const streams = createStreams({ ...LIMITS, returnMs: 600 })
    const { stream, seen, gone } = await missed(streams)
    stream.end('answer')
    expect((await back(streams, seen)).went).toBe('resumed')
    await expect.poll(async () => (await back(streams, seen)).went, { ...PATIENT, interval: 900 }).toBe('lost')
    expect(gone()).toBe(0)
  })

  it('keeps so many events, the latest', async () => {
    const streams = createStreams(LIMITS)
    const { stream, seen } = await missed(streams)
    for (let n = 1; n <= 1_200; n++) stream.send(`${n}`)
    const { text } = await back(streams, seen)
    stream.end()
    const all = said(await text())
    expect([all.length, all[0], all.at(-1)]).toEqual([1_000, '201', '1200'])
  })

  it('makes room for others, the longer it has been quiet; without its answer it is lost', async () => {
    const streams = createStreams(LIMITS)
    const quiet = await missed(streams)
    const answered = await missed(streams)
    answered.stream.end('x'.repeat(40_000))
    quiet.stream.send('y'.repeat(40_000))
    const loud = await missed(streams)
    for (let n = 0; n < 5; n++) loud.stream.send('z'.repeat(10_000))
    expect((await back(streams, answered.seen)).went).toBe('lost')
    const rest = await back(streams, quiet.seen)
    quiet.stream.end('done')
    expect(said(await rest.text()).map((text) => text!.length)).toEqual([40_000, 4])
  })

  it('ends for good with its session', async () => {
    const streams = createStreams(LIMITS)
    const mine = await begin(streams)
    const other: { stream: Stream } = await begin(streams, { session: 'other' })
    streams.endSession('mine')
    expect(said(await mine.text())).toEqual([])
    expect([mine.gone(), mine.stream.isConnected(), other.stream.isConnected()]).toEqual([1, false, true])
  })
})
