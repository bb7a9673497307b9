import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Past } from '../lib/api/ledger.ts'
import type { ReceiptBody } from '../lib/api/receipt.ts'
import type { Remit } from '../lib/api/remit.ts'
import { remitOf } from '../lib/core/testing/remit.ts'
import { createLogger } from '../lib/service/log.ts'
import { createAuthority } from './authority.ts'
import { createCallHistory, type LoadPast } from './history.ts'

const log = createLogger({ part: 'test', level: 'silent' })
const limited = (calls: number, generation: number, more: Partial<Remit> = {}): Remit => ({
  ...remitOf([{ tools: [{ name: 'all', match: { tools: ['*'] }, effect: 'Allow', limits: [{ per: '1h', calls }] }] }]),
  generation,
  ...more,
})
const call = { server: 'billing', tool: 'refund', arguments: {} }

/** A history whose past is told, or refused, one attempt after the other. */
const setup = (first: Remit, ...attempts: LoadPast[]) => {
  let wall = Date.parse('2026-11-21T10:00:00Z')
  let steady = wall
  const recorded: ReceiptBody[] = []
  const asked: number[] = []
  const authority = createAuthority({ log })
  authority.accept(first)
  const history = createCallHistory({
    authority,
    load: (since, take, signal) => {
      asked.push(since)
      return (attempts[asked.length - 1] ?? attempts.at(-1)!)(since, take, signal)
    },
    record: async (body) => recorded.push(body),
    onFreeze: () => {},
    now: () => wall,
    steady: () => steady,
    signal: new AbortController().signal,
    log,
  })
  /** One call from its decision to its end. */
  const make = (receipt: string, outcome: 'ok' | 'error' = 'ok') => {
    const { id, assessment } = history.decide(call)
    history.recorded(id, receipt)
    if (assessment.decision.effect === 'Allow') history.ended(id, outcome)
    history.closed(id)
    return assessment.decision.code ?? 'ok'
  }
  return {
    history,
    authority,
    recorded,
    asked,
    make,
    now: () => wall,
    pass: (ms: number) => {
      wall += ms
      steady += ms
    },
  }
}
const past = (id: string, at: number, outcome: 'ok' | 'error' = 'ok'): Past[] => [
  { kind: 'intent', id, at, server: 'billing', tool: 'refund', effect: 'Allow' },
  { kind: 'result', id, at, outcome },
]
const nothing: LoadPast = async () => {}
const telling =
  (...pasts: Past[]): LoadPast =>
  async (_since, take) =>
    pasts.forEach(take)
const loaded = async ({ history }: ReturnType<typeof setup>) => expect.poll(history.loaded, { interval: 5 }).toBe(true)

it('denies what needs the past until it is told, asks again after a failure, and takes nothing of a half-told one', async () => {
  const at = Date.parse('2026-11-21T09:50:00Z')
  const half: LoadPast = async (_since, take) => {
    for (const one of [...past('a-1', at), ...past('a-2', at)]) take(one)
    throw new Error('the connection broke')
  }
  const world = setup(limited(2, 1), half, telling(...past('a-1', at)))
  expect(world.make('b-1')).toBe('HistoryNotLoaded')
  await loaded(world)
  expect(world.asked).toHaveLength(2)
  expect(world.asked[0]).toBeLessThanOrEqual(world.now() - 3_600_000)
  expect([world.make('b-2'), world.make('b-3')]).toEqual(['ok', 'LimitReached'])
})

it('counts a call once that both it and the ledger know of, whichever of them saw it end', async () => {
  let tell: () => void = () => {}
  const told = new Promise<void>((resolve) => {
    tell = resolve
  })
  const at = Date.parse('2026-11-21T10:00:00Z')
  const during: LoadPast = async (_since, take) => {
    await told
    for (const one of [...past('a-1', at), ...past('b-1', at), ...past('b-2', at)]) take(one)
  }
  const world = setup(limited(9, 1), nothing, during)
  await loaded(world)
  expect(world.make('b-1')).toBe('ok')
  const open = world.history.decide(call)
  world.history.recorded(open.id, 'b-2')
  // Another window is asked for, so that everything is read again; meanwhile the old call ends.
  const day: Remit = { ...limited(4, 2) }
  day.rules = day.rules.map((rule) => ({ ...rule, limits: [{ per: '24h', calls: 4 }] }) as typeof rule)
  world.authority.accept(day)
  expect(world.history.loaded()).toBe(false)
  world.history.ended(open.id, 'ok')
  world.history.closed(open.id)
  tell()
  await loaded(world)
  expect([world.make('b-3'), world.make('b-4')]).toEqual(['ok', 'LimitReached'])
})

it('takes what an earlier run left open for what may have taken effect', async () => {
  const at = Date.parse('2026-11-21T09:59:00Z')
  const world = setup(limited(1, 1), telling(past('a-1', at)[0]!))
  await loaded(world)
  expect(world.make('b-1')).toBe('LimitReached')
})

it('counts by the younger reading of a time when the clock was set: neither makes old what is not', async () => {
  const ten = Date.parse('2026-11-21T10:00:00Z')
  const world = setup(limited(1, 1), telling(...past('a-1', ten + 7_200_000)))
  await loaded(world)
  expect(world.make('b-1')).toBe('LimitReached')
  world.pass(3_599_000)
  expect(world.make('b-2')).toBe('LimitReached')
  world.pass(2_000)
  expect(world.make('b-3')).toBe('ok')
})

it('forgets a call that could not be recorded', async () => {
  const world = setup(limited(1, 1), nothing)
  await loaded(world)
  world.history.forget(world.history.decide(call).id)
  expect([world.make('b-1'), world.make('b-2')]).toEqual(['ok', 'LimitReached'])
})

it('records a freeze once, also when it comes about while the past is being read', async () => {
  const breakers = [{ policy: 'payments/policy', mode: 'Enforce' as const, errors: 2 }]
  const at = Date.parse('2026-11-21T09:59:00Z')
  const twice = [...past('a-1', at, 'error'), ...past('a-2', at, 'error')]
  const world = setup(limited(9, 1, { breakers }), telling(...twice))
  await loaded(world)
  await expect.poll(() => world.recorded).toHaveLength(1)
  expect(world.recorded).toEqual([
    { kind: 'escalation', code: 'AgentFrozen', policy: 'payments/policy', detail: '2 calls in a row failed' },
  ])
  expect(world.make('b-1')).toBe('AgentFrozen')
  expect(world.history.frozen()).toMatchObject({ effect: 'Deny', code: 'AgentFrozen' })
  const day = limited(9, 2, { breakers })
  day.rules = day.rules.map((rule) => ({ ...rule, limits: [{ per: '24h', calls: 4 }] }) as typeof rule)
  world.authority.accept(day)
  await loaded(world)
  await sleep(20)
  expect(world.recorded).toHaveLength(1)
})
