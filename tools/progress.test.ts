import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { fileDurations, human, plainProgress } from './progress.ts'

const dir = mkdtempSync(join(tmpdir(), 'remit-progress-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('human', () => {
  it.each([
    [0.2, '1 s'],
    [12.4, '12 s'],
    [89, '89 s'],
    [150, '3 min'],
  ])('%d s is %s', (seconds, text) => {
    expect(human(seconds)).toBe(text)
  })
})

describe('plainProgress', () => {
  it('says how long a step usually takes, and remembers how long it took', async () => {
    let now = 0
    const lines: string[] = []
    const durations = fileDurations(join(dir, 'durations.json'))
    const progress = plainProgress(
      (line) => lines.push(line),
      durations,
      () => now,
    )
    const work = async () => {
      now += 12_000
      return 'made'
    }
    expect(await progress.step('Build it', 30, work)).toBe('made')
    await progress.step('Build it', 30, work)
    expect(lines).toEqual([
      'Build it (usually 30 s) ...',
      'Build it: done in 12 s',
      'Build it (usually 12 s) ...',
      'Build it: done in 12 s',
    ])
  })

  it('keeps quiet about what takes no time, and remembers nothing of what failed', async () => {
    const lines: string[] = []
    const durations = fileDurations(join(dir, 'other.json'))
    const progress = plainProgress(
      (line) => lines.push(line),
      durations,
      () => 0,
    )
    await progress.step('Look', 0, async () => undefined)
    await expect(progress.step('Fail', 5, async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(lines).toEqual(['Fail (usually 5 s) ...'])
    expect(durations.get('Fail')).toBeUndefined()
  })

  it('starts afresh from a damaged memory', () => {
    const file = join(dir, 'damaged.json')
    writeFileSync(file, '{"a": 1')
    const durations = fileDurations(file)
    expect(durations.get('a')).toBeUndefined()
    durations.set('a', 2)
    expect(durations.get('a')).toBe(2)
  })
})
