import fc from 'fast-check'
import { expect, test } from 'vitest'
import { overlap } from './overlap.ts'

const at = (...created: number[]) => created.map((createdAt) => ({ createdAt }))

test.each([
  ['none', at(), 0, { known: [], active: undefined, due: true }],
  ['a first one is used at once', at(0), 0, { active: { createdAt: 0 }, due: false }],
  ['just before half of its life', at(0), 599, { due: false, nextAt: 600 }],
  ['at half of its life the next is due', at(0), 600, { due: true }],
  [
    'the next is known before it is used',
    at(0, 600),
    799,
    { known: at(0, 600), active: { createdAt: 0 }, due: false, nextAt: 800 },
  ],
  ['and used a sixth of a life later', at(0, 600), 800, { known: at(0, 600), active: { createdAt: 600 } }],
  ['the old one is forgotten at its end', at(0, 600), 1200, { known: at(600), active: { createdAt: 600 }, due: true }],
  [
    'after a long outage the old one introduces the next',
    at(0),
    5000,
    { known: at(0), active: { createdAt: 0 }, due: true },
  ],
  [
    'and stays until the next is known long enough',
    at(0, 5000),
    5100,
    { known: at(0, 5000), active: { createdAt: 0 }, due: false },
  ],
])('%s', (_, items, now, expected) => {
  expect(overlap(items, now, 1200)).toMatchObject(expected)
})

test('however late it looks: what is active was known a sixth of a life before, or there was nothing before it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 40 }), (steps) => {
      let items: { createdAt: number }[] = []
      let now = 0
      let first: number | undefined
      for (const step of steps) {
        now += step
        if (overlap(items, now, 1200).due) items = [...items, { createdAt: now }]
        first ??= now
        const { known, active } = overlap(items, now, 1200)
        expect(active).toBeDefined()
        expect(known).toContain(active)
        expect(active!.createdAt === first || now - active!.createdAt >= 200).toBe(true)
        items = known
      }
    }),
  )
})
