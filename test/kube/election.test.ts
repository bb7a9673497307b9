import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Client } from '../../lib/kube/client.ts'
import { type ElectionOptions, elect, firstEpoch } from '../../lib/kube/election.ts'
import { get, remove, update } from '../../lib/kube/objects.ts'
import { leases } from '../../lib/kube/resources.ts'
import { eventually } from '../harness/eventually.ts'
import { keepLog, useWorld } from './setup.ts'

const world = useWorld()
const quick = { leaseSeconds: 2, renewDeadlineMs: 1_200, retryMs: 150 }

/** A process that contends and notes when it leads. */
const contend = (identity: string, client: Client = world.server.client, more: Partial<ElectionOptions> = {}) => {
  const stop = new AbortController()
  const terms: { epoch: number; from: number; to?: number }[] = []
  const ended = elect(
    {
      client,
      namespace: world.namespace,
      name: 'leader',
      identity,
      log: keepLog().log,
      ...quick,
      lead: async ({ epoch, signal }) => {
        const term: (typeof terms)[number] = { epoch, from: Date.now() }
        terms.push(term)
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        term.to = Date.now()
      },
      ...more,
    },
    AbortSignal.any([world.signal, stop.signal]),
  )
  return { terms, ended, stop: () => stop.abort(), leads: () => terms.length > 0 && terms.at(-1)?.to === undefined }
}

const lease = () => get(world.server.client, leases, { namespace: world.namespace, name: 'leader' })

test('of two contenders one leads, however long they contend', async () => {
  const [a, b] = [contend('a'), contend('b')]
  await eventually(() => a.leads() || b.leads())
  await pause(2_500)
  expect([a.terms.length, b.terms.length].sort()).toEqual([0, 1])
  expect((await lease()).spec?.holderIdentity).toBe(a.leads() ? 'a' : 'b')
})

test('who is told to stop ends the work first, then releases, and the other follows at once with a higher epoch', async () => {
  const a = contend('a')
  await eventually(a.leads)
  const b = contend('b')
  await pause(300)
  const stopped = Date.now()
  a.stop()
  await a.ended
  await eventually(b.leads)
  const took = b.terms[0]!.from - stopped
  // Well below the two seconds that a lease not released would be respected.
  expect(took).toBeLessThan(1_500)
  expect(b.terms[0]!.from).toBeGreaterThanOrEqual(a.terms[0]!.to!)
  expect(b.terms[0]!.epoch).toBeGreaterThan(a.terms[0]!.epoch)
})

test('the lease is kept while the work winds down', async () => {
  let finished = 0
  const lead: ElectionOptions['lead'] = async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    await pause(3_000)
    finished = Date.now()
  }
  const a = contend('a', undefined, { lead })
  await eventually(async () => (await lease()).spec?.holderIdentity === 'a')
  const b = contend('b')
  a.stop()
  await eventually(b.leads)
  expect(b.terms[0]!.from).toBeGreaterThanOrEqual(finished)
  expect(finished).toBeGreaterThan(0)
})

test('who cannot renew stops before anybody else starts, and comes back later', async () => {
  const a = contend('a', world.proxied)
  await eventually(a.leads)
  const b = contend('b')
  world.proxy.away(true)
  await eventually(b.leads)
  expect(a.terms[0]!.to).toBeLessThan(b.terms[0]!.from)
  world.proxy.away(false)
  b.stop()
  await eventually(() => a.terms.length === 2)
  expect(a.terms[1]!.epoch).toBeGreaterThan(b.terms[0]!.epoch)
})

test('who stays connected but hears nothing stops as well', async () => {
  const a = contend('a', world.proxied)
  await eventually(a.leads)
  world.proxy.inject({ match: ({ method }) => method !== 'POST', fault: { stall: true } })
  const b = contend('b')
  await eventually(b.leads)
  expect(a.terms[0]!.to).toBeLessThan(b.terms[0]!.from)
})

test('a lease taken by force ends the work', async () => {
  const a = contend('a')
  await eventually(a.leads)
  const taken = await eventually(async () => {
    const current = await lease()
    const spec = { ...current.spec, holderIdentity: 'usurper', leaseTransitions: current.spec!.leaseTransitions! + 1 }
    return update(world.server.client, leases, { ...current, spec })
  })
  await eventually(() => !a.leads())
  expect((await lease()).spec?.holderIdentity).toBe(taken.spec?.holderIdentity)
})

test('an epoch never falls, also when the lease is deleted and made again', async () => {
  const day = 86_400_000
  const a = contend('a', undefined, { clock: clockAhead(0) })
  await eventually(a.leads)
  a.stop()
  await a.ended
  await remove(world.server.client, leases, { namespace: world.namespace, name: 'leader' })
  const b = contend('b', undefined, { clock: clockAhead(day) })
  await eventually(b.leads)
  expect(b.terms[0]!.epoch).toBeGreaterThan(a.terms[0]!.epoch)
  expect(b.terms[0]!.epoch).toBeGreaterThanOrEqual(firstEpoch(Date.now() + day - 60_000))
})

const clockAhead = (ms: number): NonNullable<ElectionOptions['clock']> => ({
  now: () => Date.now() + ms,
  after: (delay, fn) => {
    const timer = setTimeout(fn, delay)
    return () => clearTimeout(timer)
  },
})

test('when the work fails the lease is released and the failure told', async () => {
  const failing = contend('a', undefined, { lead: () => Promise.reject(new Error('broken')) })
  await expect(failing.ended).rejects.toThrow('broken')
  expect((await lease()).spec?.holderIdentity).toBeFalsy()
})
