import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { verifyReceipts } from '../../lib/core/chain.ts'
import { freePorts } from '../harness/ports.ts'
import { startProcess } from '../harness/process.ts'
import { message, openSession, post } from './raw-agent.ts'
import { bodies, createWorld, POLICY, readReceipts, startBilling, TOKEN, waitForPort } from './world.ts'

describe('a disk that takes no more bytes', () => {
  const world = createWorld()
  afterAll(() => world.close())

  it('denies calls, makes none of them, and goes on when there is room again', { timeout: 60_000 }, async () => {
    const billing = await startBilling(world)
    const [port = 0] = await freePorts(1)
    writeFileSync(world.path('policy.yaml'), POLICY)
    writeFileSync(world.path('token'), TOKEN)
    const options = {
      policyFiles: [world.path('policy.yaml')],
      servers: { billing: billing.url },
      credentialFiles: { billing: world.path('token') },
      port,
      dataDir: world.path('data'),
    }
    // The kernel refuses writes past this size of any file (EFBIG), as a full disk refuses them (ENOSPC).
    const script = new URL('gate-process.ts', import.meta.url).pathname
    const gate = await startProcess({
      command: '/bin/sh',
      args: ['-c', 'ulimit -S -f 24; exec "$0" "$@"', process.execPath, script, JSON.stringify(options)],
      logFile: '/dev/null',
    })
    world.onClose(() => gate.stop())
    await waitForPort(port)
    const url = `http://127.0.0.1:${port}/mcp/billing`
    const session = await openSession(url)
    let id = 0
    const call = async () => {
      const response = await post(
        url,
        message(++id, 'tools/call', { name: 'get_invoice', arguments: { invoice_id: 'INV-1007' } }),
        session,
      )
      return (await response.json()) as {
        result: { isError?: boolean; _meta?: Record<string, string>; content: { text: string }[] }
      }
    }
    let refused: Awaited<ReturnType<typeof call>> | undefined
    while (!refused) {
      const answer = await call()
      if (answer.result.isError) refused = answer
      if (id > 100) throw new Error('the limit was never met')
    }
    // The one that met the limit may have been made (then its result was owed); from now on none is.
    await call()
    const made = billing.calls().length
    const denied = await call()
    expect(denied.result._meta?.['dev.remit/code']).toBe('CannotRecord')
    expect(denied.result.content[0]?.text).toContain('could not be recorded, so it was not made')
    expect(billing.calls().length).toBe(made)

    execFileSync('prlimit', ['--pid', String(gate.pid), '--fsize=unlimited'])
    await expect.poll(async () => (await call()).result.isError, { timeout: 10_000 }).toBeFalsy()
    const receipts = readReceipts(world.path('data'))
    expect(verifyReceipts(receipts)).toEqual({ ok: true })
    expect(bodies(receipts, 'intent')).toHaveLength(billing.calls().length)
    expect(bodies(receipts, 'result')).toHaveLength(billing.calls().length)
  })
})
