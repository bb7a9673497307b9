import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openStream } from './reply.ts'

describe('openStream', () => {
  afterEach(() => void vi.useRealTimers())

  it('says nothing more after its end, however slowly its client reads', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const failures: unknown[] = []
    let tellEnded = () => {}
    const ended = new Promise<void>((resolve) => {
      tellEnded = resolve
    })
    const server = createServer((_request, response) => {
      response.on('error', (error) => failures.push(error))
      const stream = openStream(response, 64 * 1024 * 1024)
      stream.write('x'.repeat(32 * 1024 * 1024))
      stream.end()
      tellEnded()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1', () =>
      client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'),
    ).pause()
    await ended
    vi.advanceTimersByTime(60_000)
    await setImmediate()
    client.destroy()
    await new Promise((resolve) => server.close(resolve))
    expect(failures).toEqual([])
  })
})
