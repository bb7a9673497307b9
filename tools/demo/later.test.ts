import { expect, test } from 'vitest'
import type { Progress } from '../progress.ts'
import { laterProgress } from './later.ts'

const recorder = () => {
  const seen: string[] = []
  const progress: Progress = {
    step: async (title, _seconds, work) => {
      seen.push(`start ${title}`)
      const value = await work((line) => seen.push(line))
      seen.push(`end ${title}`)
      return value
    },
  }
  return { seen, progress }
}
const gate = () => {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

test('quiet before release; what is under way is shown from then on, then what follows', async () => {
  const { seen, progress } = recorder()
  const later = laterProgress(progress)
  await later.step('first', 1, async () => {})
  const [inside, after] = [gate(), gate()]
  const running = later.step('second', 1, async (say) => {
    await inside.opened
    say('half way')
    await later.step('nested', 1, async () => {})
    await after.opened
  })
  expect(seen).toEqual([])
  later.release()
  inside.open()
  after.open()
  await running
  await later.step('third', 1, async () => {})
  expect(seen).toEqual(['start second', 'second: half way', 'nested', 'end second', 'start third', 'end third'])
})

test('a failure reaches who waits, before and after release', async () => {
  const later = laterProgress(recorder().progress)
  const stop = gate()
  const failing = later.step('a', 1, async () => {
    await stop.opened
    throw new Error('no')
  })
  later.release()
  stop.open()
  await expect(failing).rejects.toThrow('no')
})
