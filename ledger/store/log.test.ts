import { appendFile, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type LogOptions, openLog, type ReceiptLog } from './log.ts'
import { segmentPath } from './segments.ts'

let dir: string
const logs: ReceiptLog[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'remit-log-'))
})
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close()
  await rm(dir, { recursive: true })
})

const openHere = async (options: Partial<LogOptions> = {}) => {
  const log = await openLog({ dir, ...options })
  logs.push(log)
  return log
}
const all = async (log: ReceiptLog, from = 1) => {
  const found: [number, string][] = []
  for await (const { n, text } of log.scan(from)) found.push([n, text])
  return found
}
const numbered = (texts: string[], from = 1) => texts.map((text, i) => [from + i, text])
const many = (count: number) =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ i, text: 'Zoë\u2028'.repeat(i % 7) }))

test('gives back what was appended, in one order over all segments, also after it is opened again', async () => {
  const log = await openHere({ segmentBytes: 500 })
  const texts = many(60)
  const positions = (await Promise.all(texts.map((text) => log.append([text])))).flat()
  expect(positions.map(({ n }) => n)).toEqual(texts.map((_, i) => i + 1))
  for (const text of texts) await log.append([text])
  expect((await readdir(dir)).length).toBeGreaterThan(2)
  expect(await Promise.all(positions.map((p) => log.read(p)))).toEqual(texts)
  expect(await all(log)).toEqual(numbered([...texts, ...texts]))
  const again = await openHere({ segmentBytes: 500, durable: 120 })
  expect(again.head()).toBe(120)
  expect(await all(again, 100)).toEqual(numbered(texts.slice(39), 100))
})

test('a torn tail is cut off, byte for byte', async () => {
  const log = await openHere()
  await log.append(many(3))
  await log.close()
  const whole = await readFile(segmentPath(dir, 1))
  const twoLines = whole.lastIndexOf(0x0a, whole.length - 2) + 1
  for (let length = twoLines; length < whole.length; length++) {
    await writeFile(segmentPath(dir, 1), whole.subarray(0, length))
    const again = await openLog({ dir, durable: 2 })
    expect(again.head()).toBe(2)
    await again.append(['"after"'])
    expect(await all(again)).toEqual(numbered([...many(3).slice(0, 2), '"after"']))
    await again.close()
  }
})

test('what was durable and is damaged or missing is refused, never cut off', async () => {
  const log = await openHere()
  await log.append(many(5))
  await log.close()
  const whole = await readFile(segmentPath(dir, 1))
  const changed = Buffer.from(whole)
  changed[30] = (changed[30] as number) ^ 1
  await writeFile(segmentPath(dir, 1), changed)
  await expect(openLog({ dir })).rejects.toThrow('is damaged at byte 29')
  await expect(openLog({ dir, durable: 5 })).rejects.toThrow('damaged')
  await writeFile(segmentPath(dir, 1), whole.subarray(0, whole.lastIndexOf(0x0a, whole.length - 2) + 1))
  await expect(openLog({ dir, durable: 5 })).rejects.toThrow('behind record 4')
})

test('damage in an older segment is found when it is read', async () => {
  const log = await openHere({ segmentBytes: 100 })
  for (const text of many(9)) await log.append([text])
  const [first] = (await readdir(dir)).sort()
  const path = join(dir, first as string)
  const bytes = await readFile(path)
  bytes[bytes.length - 3] = 0x58
  await writeFile(path, bytes)
  await expect(all(log)).rejects.toThrow('is damaged')
})

/** A disk that takes `room` bytes, then part of a write, then none. */
const smallDisk = (disk: { room: number; code: string }): LogOptions['openFile'] => {
  return async (path, flags) => {
    const file = await open(path, flags)
    return new Proxy(file, {
      get: (target, key) => {
        if (key !== 'appendFile') {
          const value = Reflect.get(target, key) as unknown
          return typeof value === 'function' ? value.bind(target) : value
        }
        return async (text: string) => {
          const fits = text.slice(0, disk.room)
          disk.room -= fits.length
          await appendFile(path, fits)
          if (fits.length < text.length) throw Object.assign(new Error('disk'), { code: disk.code })
        }
      },
    })
  }
}

test('a full disk takes all or nothing, and goes on when there is room', async () => {
  const disk = { room: 100, code: 'ENOSPC' }
  const log = await openHere({ openFile: smallDisk(disk) })
  await log.append(['"first"'])
  await expect(log.append(many(20))).rejects.toMatchObject({ name: 'LogFull' })
  expect(await all(log)).toEqual([[1, '"first"']])
  disk.room = 10_000
  await log.append(['"second"'])
  expect(await all(await openHere())).toEqual([
    [1, '"first"'],
    [2, '"second"'],
  ])
  expect(log.broken()).toBeUndefined()
})

test('after another failure nothing more is written by this process', async () => {
  const disk = { room: 100, code: 'EIO' }
  const log = await openHere({ openFile: smallDisk(disk) })
  await log.append(['"first"'])
  await expect(log.append(many(20))).rejects.toThrow('disk')
  disk.room = 10_000
  await expect(log.append(['"second"'])).rejects.toThrow('writing failed (EIO)')
  expect(log.broken()).toContain('EIO')
  expect(await all(await openHere())).toEqual([[1, '"first"']])
})
