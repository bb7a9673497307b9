import { describe, expect, it } from 'vitest'
import type { Json } from '../../lib/core/strict.ts'
import { changesBetween } from './changed.ts'

describe('changesBetween', () => {
  const cases: [what: string, before: Json, after: Json, changes: unknown[]][] = [
    [
      'a value',
      { status: 'open', id: 1 },
      { status: 'closed', id: 1 },
      [{ path: 'status', old: 'open', new: 'closed' }],
    ],
    ['what is new', { a: 1 }, { a: 1, b: { c: 2 } }, [{ path: 'b', new: { c: 2 } }]],
    ['what is gone', { a: 1, b: null }, { a: 1 }, [{ path: 'b', old: null }]],
    ['an element', { l: [{ n: 1 }, { n: 2 }] }, { l: [{ n: 1 }, { n: 3 }] }, [{ path: 'l[1].n', old: 2, new: 3 }]],
    ['a type', { a: [1] }, { a: { 0: 1 } }, [{ path: 'a', old: [1], new: { 0: 1 } }]],
    ['nothing', { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, []],
    ['a member of the prototype', {}, JSON.parse('{"toString":1}'), [{ path: 'toString', new: 1 }]],
  ]
  it.each(cases)('tells %s', (_what, before, after, changes) => {
    expect(changesBetween(before, after)).toEqual(changes)
  })

  it('shows long values by digest, at most 100 paths and 8 KB of them', () => {
    const [long] = changesBetween({ a: 'x'.repeat(300) }, { a: 'y' })
    expect(long).toEqual({ path: 'a', old: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), new: 'y' })
    const many = (value: string) => Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, value]))
    expect(changesBetween(many('a'), many('b'))).toHaveLength(100)
    const large = changesBetween(many('a'.repeat(250)), many('b'.repeat(250)))
    expect(large.length).toBeGreaterThan(10)
    expect(JSON.stringify(large).length).toBeLessThan(9_000)
  })
})
