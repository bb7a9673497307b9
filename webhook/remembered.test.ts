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
  let clock = 5
  const { ask, asked } = counting([true, false])
  const answerTo = remembered<boolean>({ ms: 1_000, now: () => clock })
  expect(await Promise.all([answerTo('a', ask), answerTo('a', ask)])).toEqual([true, true])
  clock += 900
  expect(await answerTo('a', ask)).toBe(true)
  expect(asked()).toBe(1)
  clock += 200
  expect(await answerTo('a', ask)).toBe(false)
})

test('keeps questions apart', async () => {
  const answerTo = remembered<boolean>({ ms: 1_000 })
  expect(await answerTo('a', async () => true)).toBe(true)
  expect(await answerTo('b', async () => false)).toBe(false)
})

test('what is not to be kept, and what failed, is asked again', async () => {
  const { ask, asked } = counting([false, new Error('away'), true, false])
  const answerTo = remembered<boolean>({ ms: 60_000, keep: (answer) => answer })
  expect(await answerTo('a', ask)).toBe(false)
  await expect(answerTo('a', ask)).rejects.toThrow('away')
  expect(await answerTo('a', ask)).toBe(true)
  expect(await answerTo('a', ask)).toBe(true)
  expect(asked()).toBe(3)
})
