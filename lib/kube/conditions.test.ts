import { expect, test } from 'vitest'
import { type Condition, findCondition, setCondition } from './conditions.ts'

const at = (second: number) => Date.UTC(2026, 0, 1, 0, 0, second, 500)
const ready = {
  type: 'Ready',
  status: 'False',
  reason: 'Starting',
  message: 'The pod starts.',
  observedGeneration: 1,
} as const

test('the time stays as long as the status does', () => {
  const first = setCondition([], ready, at(1))
  expect(first).toEqual([{ ...ready, lastTransitionTime: '2026-01-01T00:00:01Z' }])
  const second = setCondition(first, { ...ready, reason: 'Pulling', observedGeneration: 2 }, at(2))
  expect(findCondition(second, 'Ready')).toMatchObject({
    reason: 'Pulling',
    lastTransitionTime: '2026-01-01T00:00:01Z',
  })
  const third = setCondition(second, { ...ready, status: 'True' }, at(3))
  expect(findCondition(third, 'Ready')?.lastTransitionTime).toBe('2026-01-01T00:00:03Z')
})

test('what says the same is the same list', () => {
  const list = setCondition([], ready, at(1))
  expect(setCondition(list, { ...ready }, at(2))).toBe(list)
})

test('others keep their places', () => {
  const other: Condition = { ...ready, type: 'Owned', lastTransitionTime: '2025-01-01T00:00:00Z' }
  const list = setCondition(setCondition([other], ready, at(1)), { ...other, status: 'True' }, at(2))
  expect(list.map(({ type }) => type)).toEqual(['Owned', 'Ready'])
})
