import { expect, test } from 'vitest'
import { remembered } from './remembered.ts'

const counting = (answers: (boolean | Error)[]) => {
  let asked = 0
  const ask = async () => {
    const answer = answers[asked++]
    if (answer instanceof Error) throw answer
    return answer as boolean
  }
  return { ask, asked: () => asked }
}

test('is asked once by all who ask at the same time, and again when its time is over', async () => {
  let clock = 1_000_000
  const { ask, asked } = counting([true, false])
  const answerTo = remembered<boolean>({ ms: 1_000, now: () => clock })
  expect(await Promise.all([answerTo('a', ask), answerTo('a', ask)])).toEqual([true, true])
  clock += 900
  expect(await answerTo('a', ask)).toBe(true)
  expect(asked()).toBe(1)
  clock += 200
  expect(await answerTo('a', ask)).toBe(false)
})

test('answers live as long as each is said to', async () => {
  let clock = 1_000_000
  const { ask, asked } = counting([true, false, true])
  const answerTo = remembered<boolean>({ ms: (answer) => (answer ? 1_000 : 100), now: () => clock })
  expect(await answerTo('a', ask)).toBe(true)
  clock += 1_100
  expect(await answerTo('a', ask)).toBe(false)
  clock += 50
  expect(await answerTo('a', ask)).toBe(false)
  clock += 100
  expect(await answerTo('a', ask)).toBe(true)
  expect(asked()).toBe(3)
})

test('keeps questions apart, and no more of them than it may', async () => {
  const { ask, asked } = counting([true, false, true])
  const answerTo = remembered<boolean>({ ms: 1_000, most: 1 })
  expect(await answerTo('a', ask)).toBe(true)
  expect(await answerTo('b', ask)).toBe(false)
  expect(await answerTo('a', ask)).toBe(true)
  expect(asked()).toBe(3)
})

test('what is not to be kept, and what failed, is asked again', async () => {
  const { ask, asked } = counting([false, new Error('away'), true, false])
  const answerTo = remembered<boolean>({ ms: (answer) => (answer ? 60_000 : 0) })
  expect(await answerTo('a', ask)).toBe(false)
  await expect(answerTo('a', ask)).rejects.toThrow('away')
  expect(await answerTo('a', ask)).toBe(true)
  expect(await answerTo('a', ask)).toBe(true)
  expect(asked()).toBe(3)
})
