import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { withLock } from './lock.ts'

const dir = mkdtempSync(join(tmpdir(), 'remit-lock-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('withLock', () => {
  it('lets one in at a time', async () => {
    let inside = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setTimeout(resolve, 30))
      inside--
    }
    await Promise.all([1, 2, 3].map(() => withLock(join(dir, 'one'), work)))
    expect(most).toBe(1)
  })

  it('is released when the work throws', async () => {
    await expect(withLock(join(dir, 'two'), async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await withLock(join(dir, 'two'), async () => 'in')).toBe('in')
  })

  it('is released when its holder is killed', async () => {
    const script = `import { withLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))}
await withLock(process.argv[1], async () => { console.log('held'); await new Promise((r) => setTimeout(r, 60000)) })`
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script, join(dir, 'three')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    let waited = false
    const second = withLock(
      join(dir, 'three'),
      async () => 'in',
      () => {
        waited = true
      },
    )
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(waited).toBe(true)
    holder.kill('SIGKILL')
    expect(await second).toBe('in')
  })
})
