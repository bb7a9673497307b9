import { describe, expect, it } from 'vitest'
import { UpstreamFailure } from '../upstream.ts'
import { createHeldCalls } from './held.ts'

describe('createHeldCalls', () => {
  it('keeps a bounded number of calls open, and gives all of them up at its end', async () => {
    const held = createHeldCalls(60_000)
    const { signal } = new AbortController()
    const made: Promise<unknown>[] = []
    const open = async () => {
      const call = held.begin('server', ({ ask, signal: given }) => {
        const answer = ask({ method: 'elicitation/create', params: {} }, given).then(() => ({ message: {}, raw: '{}' }))
        made.push(answer)
        return answer
      })
      expect(await call.next(signal, () => {})).toMatchObject({ asked: { 1: { method: 'elicitation/create' } } })
    }
    await Promise.all(Array.from({ length: 99 }, open))
    expect(held.hasRoom()).toBe(true)
    await open()
    expect(held.hasRoom()).toBe(false)
    held.close()
    for (const outcome of await Promise.allSettled(made))
      expect(outcome).toEqual({ status: 'rejected', reason: new UpstreamFailure('cancelled', 'the gate closes', true) })
  })
})
