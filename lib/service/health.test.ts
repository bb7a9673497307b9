import { expect, test } from 'vitest'
import { startHealth } from './health.ts'

test('ready follows its checks and says what is missing; live does not', async () => {
  let remit: true | string = 'none yet'
  const health = await startHealth({
    host: '127.0.0.1',
    port: 0,
    checks: { remit: () => remit },
    log: { warn: () => {} },
  })
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${health.port}${path}`)
    return [response.status, await response.text()]
  }
  try {
    expect(await get('/readyz')).toEqual([503, 'remit: none yet\n'])
    expect(await get('/livez')).toEqual([200, 'ok\n'])
    remit = true
    expect(await get('/readyz')).toEqual([200, 'ok\n'])
    expect((await get('/other'))[0]).toBe(404)
  } finally {
    await health.close()
  }
})
