import { expect, test } from 'vitest'
import { createLogger } from './log.ts'
import { onShutdown } from './shutdown.ts'

const log = createLogger({ part: 'test', level: 'silent' })
const start = (stepMs?: number) => {
  const codes: number[] = []
  return { codes, shutdown: onShutdown(log, { stepMs, exit: (code) => codes.push(code), signals: [] }) }
}

test('steps run last first, after the signal is aborted, once', async () => {
  const { codes, shutdown } = start()
  const order: string[] = []
  shutdown.add('first', () => void order.push(`first ${shutdown.signal.aborted}`))
  shutdown.add('second', async () => void order.push('second'))
  await Promise.all([shutdown.run('test'), shutdown.run('again')])
  expect(order).toEqual(['second', 'first true'])
  expect(codes).toEqual([0])
})

test('a step that fails or hangs does not keep the others from running, and is told by the exit code', async () => {
  const { codes, shutdown } = start(20)
  let ran = false
  shutdown.add('last', () => {
    ran = true
  })
  shutdown.add('hangs', () => new Promise<void>(() => {}))
  shutdown.add('throws', () => {
    throw new Error('no')
  })
  await shutdown.run('test')
  expect(ran).toBe(true)
  expect(codes).toEqual([1])
})
