import { writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import type { Receipt } from '../../lib/api/receipt.ts'
import { receiptName } from '../../lib/api/receipt.ts'
import { envelopeHash, verifyReceipts } from '../../lib/core/chain.ts'
import { freePorts } from '../harness/ports.ts'
import { message, openSession, post } from './raw-agent.ts'
import { createWorld, POLICY, readReceipts, runScript, startBilling, TOKEN, waitForPort } from './world.ts'

const KILLS = 4

describe('kill -9 of the gate under load', () => {
  const world = createWorld()
  afterAll(() => world.close())

  it('loses and doubles no receipt, forwards no call without its intent, and goes on by itself', {
    timeout: 90_000,
  }, async () => {
    const billing = await startBilling(world)
    const [port = 0] = await freePorts(1)
    writeFileSync(world.path('policy.yaml'), POLICY)
    writeFileSync(world.path('token'), TOKEN)
    const start = async () => {
      const gate = await runScript(
        world,
        'test/sidecar/gate-process.ts',
        [
          JSON.stringify({
            policyFiles: [world.path('policy.yaml')],
            servers: { billing: billing.url },
            credentialFiles: { billing: world.path('token') },
            port,
            dataDir: world.path('data'),
          }),
        ],
        {},
        'gate',
      )
      await waitForPort(port)
      return gate
    }
    let gate = await start()
    const url = `http://127.0.0.1:${port}/mcp/billing`
    const session = await openSession(url)

    let stop = false
    let answered = 0
    let failed = 0
    const agents = Array.from({ length: 4 }, async (_, agent) => {
      for (let id = agent * 1_000_000; !stop; id++) {
        try {
          const response = await post(
            url,
            message(id, 'tools/call', { name: 'get_invoice', arguments: { invoice_id: 'INV-1007', note: `${id}` } }),
            session,
          )
          const text = await response.text()
          if (!text.includes('Wanda Brandt')) throw new Error(text)
          answered++
        } catch {
          failed++
          await new Promise((next) => setTimeout(next, 20))
        }
      }
    })
    for (let kill = 0; kill < KILLS; kill++) {
      const before = answered
      await expect.poll(() => answered, { timeout: 10_000 }).toBeGreaterThan(before + 20)
      gate.signal('SIGKILL')
      await gate.exited
      gate = await start()
    }
    const before = answered
    await expect.poll(() => answered, { timeout: 10_000 }).toBeGreaterThan(before + 20)
    stop = true
    await Promise.all(agents)
    await gate.stop()
    expect(failed).toBeGreaterThan(0)

    const chains = new Map<string, Receipt[]>()
    for (const receipt of readReceipts(world.path('data'))) {
      const { incarnation } = receipt.envelope
      chains.set(incarnation, [...(chains.get(incarnation) ?? []), receipt])
    }
    expect(chains.size).toBe(KILLS + 1)
    const intents = new Map<string, string>()
    const ends: string[] = []
    let last: Receipt | undefined
    for (const chain of chains.values()) {
      expect(verifyReceipts(chain)).toEqual({ ok: true })
      const first = chain[0]!.body
      if (last)
        expect(first).toMatchObject({
          previous: {
            ...(last.envelope && { incarnation: last.envelope.incarnation, seq: last.envelope.seq }),
            hash: envelopeHash(last.envelope),
          },
        })
      for (const { envelope, body } of chain) {
        if (body.kind === 'intent') intents.set(receiptName(envelope), body.trace!.traceId)
        if (body.kind === 'result' || body.kind === 'orphan') ends.push(body.intent)
      }
      last = chain.at(-1)
    }
    // Each call has its intent, and each intent exactly one end: a result, or an orphan of the next run.
    expect([...ends].sort()).toEqual([...intents.keys()].sort())
    const traces = new Set(intents.values())
    const made = billing.calls().map(({ traceparent }) => traceparent?.split('-')[1] ?? '')
    expect(made.filter((trace) => !traces.has(trace))).toEqual([])
    expect(new Set(made).size).toBe(made.length)
    expect(made.length).toBeGreaterThanOrEqual(answered)
  })
})
