import { describe, expect, test } from 'vitest'
import type { PolicySpec } from '../../api/gen/types.ts'
import { prepare } from '../prepare.ts'
import { agentUnder } from '../testing/agent.ts'
import { NOW, remitOf } from '../testing/remit.ts'
import { continueHistory, forget, historyWindow, newHistory, remember } from './history.ts'

const any: PolicySpec = { tools: [{ name: 'any', match: { tools: ['*'] }, effect: 'Allow' }] }
const HOUR = 3_600_000

describe('taint', () => {
  const spec: PolicySpec = {
    ...any,
    taint: [
      {
        name: 'web',
        after: { servers: ['mail'], tools: ['fetch*'] },
        for: '1h',
        match: { servers: ['billing'] },
        unless: [{ arg: 'to', suffix: '@corp.example' }],
      },
    ],
  }
  test('after a call of something untrusted, what leaves waits for a person, for a while', () => {
    const agent = agentUnder(spec)
    expect(agent.call('send', { to: 'x@evil.example' }).effect).toBe('Allow')
    expect(agent.call('send', {}).effect).toBe('Allow')
    agent.call('mail/fetch_page', {}, { outcome: 'error' })
    expect(agent.call('send', { to: 'x@evil.example' })).toMatchObject({ effect: 'Ask', rule: 'web' })
    expect(agent.call('send', { to: 'x@corp.example' }).effect).toBe('Allow')
    expect(agent.call('send', {}).code).toBe('ConstraintError')
    expect(agent.wait(HOUR - 1).call('send', { to: 'x@evil.example' }).effect).toBe('Ask')
    expect(agent.wait(1).call('send', { to: 'x@evil.example' }).effect).toBe('Allow')
  })
  test('a call that was denied read nothing', () => {
    const agent = agentUnder({ ...spec, invariants: [{ name: 'no', match: { tools: ['fetch*'] } }] })
    agent.call('mail/fetch_page')
    expect(agent.call('send', { to: 'x@evil.example' }).effect).toBe('Allow')
  })
})

describe('breaker', () => {
  const spec: PolicySpec = {
    ...any,
    invariants: [{ name: 'never', match: { tools: ['drop'] } }],
    breaker: { errors: 3, denials: 2, calls: 6, per: '1m' },
  }
  const frozen = { effect: 'Deny', code: 'AgentFrozen', rule: 'breaker', policy: 'payments/p0' }
  test('so many failures in a row freeze the agent; one success in between does not', () => {
    const agent = agentUnder(spec)
    for (const outcome of ['error', 'timeout', 'ok', 'unreachable', 'invalid'] as const) {
      agent.wait(HOUR).call('x', {}, { outcome })
      expect(agent.history.frozen).toBeUndefined()
    }
    agent.call('x', {}, { outcome: 'error' })
    expect(agent.call('x')).toMatchObject({
      ...frozen,
      reason: `The agent is frozen since ${new Date(NOW + 5 * HOUR).toISOString()}: 3 calls in a row failed.`,
    })
    expect(agent.call('drop').code).toBe('DeniedByInvariant')
  })
  test('so do denials in a row, and too many calls at once', () => {
    const agent = agentUnder(spec)
    agent.call('drop')
    agent.call('x')
    agent.call('drop')
    expect(agent.call('x').effect).toBe('Allow')
    agent.call('drop')
    agent.call('drop')
    expect(agent.call('x')).toMatchObject(frozen)
    const busy = agentUnder(spec)
    for (let i = 0; i < 7; i++) expect(busy.call('x').effect).toBe('Allow')
    expect(busy.call('x').reason).toContain('more than 6 calls in 1m')
  })
  test('a server that asks for input, and one that goes on by itself, neither failed nor succeeded', () => {
    const agent = agentUnder({ ...any, breaker: { errors: 3 } })
    const calls: ('error' | 'input' | 'task')[] = ['error', 'input', 'error', 'task', 'error']
    for (const outcome of calls) expect(agent.call('send', {}, { outcome }).effect).toBe('Allow')
    expect(agent.call('send').code).toBe('AgentFrozen')
  })
  test('what came of anything that is no call or read of the agent opens nothing', () => {
    const agent = agentUnder({ ...any, breaker: { errors: 3 } })
    for (let i = 0; i < 5; i++) agent.tell({ kind: 'result', id: `request-${i}`, at: NOW, outcome: 'error' })
    expect(agent.call('send').effect).toBe('Allow')
    for (let i = 0; i < 3; i++) {
      agent.tell({ kind: 'read', id: `read-${i}`, at: NOW, server: 'mail', effect: 'Allow' })
      agent.end(`read-${i}`, 'unreachable')
    }
    expect(agent.call('send').code).toBe('AgentFrozen')
  })
  test('it says so once, and stays frozen over time and a new remit until a person lifts it', () => {
    const agent = agentUnder(spec)
    const opened = ['drop', 'drop', 'drop'].map((tool) => {
      agent.call(tool)
      return agent.history.frozen?.detail
    })
    expect(opened).toEqual([undefined, '2 calls in a row were denied', '2 calls in a row were denied'])
    agent.wait(100 * HOUR)
    const lifted = (at: number) => {
      const remit = { ...remitOf([spec]), unfrozen: { username: 'ana', at: new Date(at).toISOString() } }
      const prepared = prepare(remit)
      return { prepared, ...continueHistory(prepared, agent.history) }
    }
    for (const [at, effect] of [
      [NOW - 1, 'Deny'],
      [NOW, 'Allow'],
      [NOW + 200 * HOUR, 'Deny'],
    ] as const) {
      const { prepared, history, complete } = lifted(at)
      expect(complete).toBe(true)
      Object.assign(agent, { prepared, history: { ...history } })
      expect([at, agent.call('x').effect]).toEqual([at, effect])
    }
  })
  test('a policy that only observes freezes nobody', () => {
    const agent = agentUnder([any, { ...spec, mode: 'Observe' }])
    for (let i = 0; i < 9; i++) expect(agent.call('x', {}, { outcome: 'error' }).effect).toBe('Allow')
  })
  test('nothing is decided before it is known whether it is open', () => {
    const agent = agentUnder(spec)
    agent.history.loaded = false
    expect(agent.call('x').code).toBe('HistoryNotLoaded')
  })
})

describe('loading', () => {
  const limited = (calls: number, per = '24h'): PolicySpec => ({
    tools: [{ name: 'r', match: { tools: ['refund'] }, effect: 'Allow', limits: [{ per, calls }] }],
  })
  test('a history told the same again comes to the same', () => {
    const agent = agentUnder({ ...limited(3), breaker: { errors: 5 } })
    agent.call('refund')
    agent.call('refund', {}, { outcome: 'error' })
    agent.call('refund', {}, { outcome: 'open' })
    const again = newHistory(agent.prepared)
    expect(again.loaded).toBe(false)
    for (const past of agent.events) remember(again, past)
    again.loaded = true
    agent.history = again
    expect(agent.call('refund').effect).toBe('Allow')
    expect(agent.call('refund').effect).toBe('Deny')
  })
  test('how far back it looks', () => {
    expect(historyWindow(prepare(remitOf([any])))).toBe(0)
    expect(historyWindow(prepare(remitOf([limited(1), limited(1, '7d')])))).toBe(7 * 24 * HOUR)
    expect(historyWindow(prepare(remitOf([{ ...any, breaker: { errors: 1 } }])))).toBe(24 * HOUR)
  })
  test('another remit keeps what it still looks at, and has to load what it did not', () => {
    const agent = agentUnder(limited(2))
    agent.call('refund')
    const raised = continueHistory(prepare(remitOf([limited(9)])), agent.history)
    expect(raised.complete).toBe(true)
    agent.history = raised.history
    agent.call('refund')
    expect(agent.call('refund').effect).toBe('Deny')
    expect(continueHistory(prepare(remitOf([limited(2, '7d')])), agent.history)).toMatchObject({
      complete: false,
      history: { loaded: false },
    })
    expect(continueHistory(prepare(remitOf([any])), agent.history)).toMatchObject({
      complete: true,
      history: { loaded: true },
    })
  })
  test('a call under way when the remit changes still ends', () => {
    const agent = agentUnder({
      tools: [{ name: 'r', match: { tools: ['*'] }, effect: 'Allow', limits: [{ concurrent: 1 }] }],
    })
    agent.call('x', {}, { outcome: 'open' })
    const { history } = continueHistory(agent.prepared, agent.history)
    agent.history = history
    expect(agent.call('x').effect).toBe('Deny')
    agent.end('call-0', 'ok')
    expect(agent.call('x').effect).toBe('Allow')
  })
  test('what could not be recorded was not made', () => {
    const agent = agentUnder(limited(1))
    agent.call('refund', {}, { outcome: 'open' })
    forget(agent.history, 'call-0')
    expect(agent.call('refund').effect).toBe('Allow')
  })
})
