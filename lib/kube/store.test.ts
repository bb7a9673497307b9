import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findMisses, observe } from './misses.ts'
import { createStore } from './store.ts'
import { type KubeObject, keyOf } from './types.ts'

interface Thing extends KubeObject {
  team: string
}

const thing = (name: string, version: number, team = 'a'): Thing => ({
  metadata: { name, namespace: 'n', uid: name, resourceVersion: String(version) },
  team,
})
const byTeam = { team: ({ team }: Thing) => [team] }

test('an index says what a search would', () => {
  const name = fc.constantFrom('x', 'y', 'z')
  const team = fc.constantFrom('a', 'b')
  const change = fc.oneof(
    fc.record({ what: fc.constant('upsert' as const), name, team }),
    fc.record({ what: fc.constant('remove' as const), name }),
    fc.record({
      what: fc.constant('replace' as const),
      all: fc.uniqueArray(fc.tuple(name, team), { selector: ([n]) => n }),
    }),
  )
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const store = createStore<Thing>(byTeam)
      const model = new Map<string, string>()
      changes.forEach((each, version) => {
        if (each.what === 'upsert') {
          store.upsert(thing(each.name, version, each.team))
          model.set(each.name, each.team)
        } else if (each.what === 'remove') {
          store.remove(`n/${each.name}`)
          model.delete(each.name)
        } else {
          store.replace(each.all.map(([n, t]) => thing(n, version, t)))
          model.clear()
          for (const [n, t] of each.all) model.set(n, t)
        }
        for (const wanted of ['a', 'b']) {
          const found = store.byIndex('team', wanted).map(({ metadata }) => metadata.name)
          const expected = [...model].filter(([, t]) => t === wanted).map(([n]) => n)
          expect(found.sort()).toEqual(expected.sort())
        }
      })
    }),
  )
})

test('replacing tells each difference once, and nothing for what is the same', () => {
  const store = createStore<Thing>(byTeam)
  store.replace([thing('same', 1), thing('gone', 1), thing('changed', 1)])
  const told = store.replace([thing('same', 1), thing('changed', 2), thing('new', 3)])
  const shape = told.map(({ key, old, new: next }) => [
    key,
    old?.metadata.resourceVersion,
    next?.metadata.resourceVersion,
  ])
  expect(shape).toEqual([
    ['n/gone', '1', undefined],
    ['n/changed', '1', '2'],
    ['n/new', undefined, '3'],
  ])
})

test('an index nobody declared is our bug', () => {
  expect(() => createStore<Thing>().byIndex('team', 'a')).toThrow('no index team')
})

test('a miss is what a list has otherwise and the watch did not touch since', () => {
  const store = createStore<Thing>()
  store.replace([thing('same', 1), thing('stale', 1), thing('ghost', 1), thing('newer', 9), thing('fresh', 8)])
  const observed = observe()
  for (const name of ['newer', 'fresh', 'deleted']) observed.add(keyOf(thing(name, 0)))
  const misses = findMisses(
    store,
    ['same', 'stale', 'newer', 'deleted', 'unheard'].map((name) => thing(name, name === 'same' ? 1 : 5)),
    observed,
  )
  expect([...misses].map(([key, object]) => [key, object?.metadata.resourceVersion])).toEqual([
    ['n/stale', '5'],
    ['n/unheard', '5'],
    ['n/ghost', undefined],
  ])
})
