import { expect, test } from 'vitest'
import type { Informer } from '../../lib/kube/informer.ts'
import { createStore } from '../../lib/kube/store.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { Caches } from '../caches.ts'
import { createAhead } from './ahead.ts'

const object = (uid: string, resourceVersion: string): KubeObject => ({
  metadata: { namespace: 'payments', name: `agent-${uid}`, uid, resourceVersion },
})

/** A cache that shows what it is told to. */
const cache = () => {
  const store = createStore<KubeObject>()
  const handlers = new Set<Parameters<Informer<KubeObject>['onChange']>[0]>()
  return {
    cache: store,
    onChange: (handler: Parameters<Informer<KubeObject>['onChange']>[0]) => {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    show: (shown: KubeObject) => {
      const change = store.upsert(shown)
      if (change) for (const handler of handlers) handler(change)
    },
  }
}

const setUp = () => {
  let time = 0
  const caches = { agents: cache(), accounts: cache(), fences: cache(), remits: cache(), pods: cache() }
  const ahead = createAhead(caches as unknown as Caches, () => time)
  ahead.source.start(() => {})
  const pass = (ms: number) => {
    time += ms
  }
  return { ahead, ...caches, pass }
}

test('an agent is left alone until every cache shows what was written of it', () => {
  const { ahead, pods, remits } = setUp()
  ahead.wrote('payments/bot', [object('pod', '7'), object('remit', '8')])
  expect(ahead.behindFor('payments/bot')).toBeGreaterThan(0)
  expect(ahead.behindFor('payments/other')).toBe(0)
  pods.show(object('pod', '6'))
  pods.show(object('pod', '7'))
  expect(ahead.behindFor('payments/bot')).toBeGreaterThan(0)
  remits.show(object('remit', '8'))
  expect(ahead.behindFor('payments/bot')).toBe(0)
})

test('what a cache shows already is not waited for, nor what comes later than is patient', () => {
  const { ahead, agents, pass } = setUp()
  agents.show(object('agent', '3'))
  ahead.wrote('payments/bot', [object('agent', '3')])
  expect(ahead.behindFor('payments/bot')).toBe(0)
  ahead.wrote('payments/bot', [object('agent', '4')])
  pass(4_999)
  expect(ahead.behindFor('payments/bot')).toBe(1)
  pass(1)
  expect(ahead.behindFor('payments/bot')).toBe(0)
})

test('two writes are both waited for', () => {
  const { ahead, agents, pods } = setUp()
  ahead.wrote('payments/bot', [object('pod', '1')])
  ahead.wrote('payments/bot', [object('agent', '2')])
  agents.show(object('agent', '2'))
  expect(ahead.behindFor('payments/bot')).toBeGreaterThan(0)
  pods.show(object('pod', '1'))
  expect(ahead.behindFor('payments/bot')).toBe(0)
})
