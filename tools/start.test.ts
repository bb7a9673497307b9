import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { withLock } from './cluster/lock.ts'
import { markedProcesses } from './cluster/snapshot.ts'

const start = join(import.meta.dirname, 'start.mjs')
const cache = mkdtempSync(join(tmpdir(), 'remit-start-'))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

const call = (...args: string[]) =>
  spawnSync(process.execPath, [start, ...args], { encoding: 'utf8', env: { ...process.env, REMIT_CACHE: cache } })

describe('start', () => {
  it('names the commands there are', () => {
    for (const args of [[], ['nonsense'], ['progress']]) {
      const { status, stderr } = call(...args)
      expect(status).toBe(2)
      expect(stderr).toMatch(/There is: .*cluster/)
    }
  })

  it('passes arguments and the exit code through', () => {
    const { status, stderr } = call('cluster', 'up', '--provider', 'nonsense')
    expect(status).toBe(2)
    expect(stderr).toContain('"nonsense"')
  })

  it('takes the command with it, also when it is killed', async () => {
    const mark = `REMIT_START_TEST=${process.pid}`
    const [name, value] = mark.split('=') as [string, string]
    const running = () => markedProcesses(mark).filter(({ command }) => command.includes('cluster.ts'))
    const until = async (wanted: number) => {
      for (let attempt = 0; attempt < 200 && running().length !== wanted; attempt++)
        await new Promise((resolve) => setTimeout(resolve, 50))
      expect(running()).toHaveLength(wanted)
    }
    // The command waits for the lock that we hold, so it never touches the machine.
    await withLock(join(cache, 'locks', 'cluster-local'), async () => {
      const parent = spawn(process.execPath, [start, 'cluster', 'up', '--provider', 'local'], {
        stdio: 'ignore',
        env: { ...process.env, REMIT_CACHE: cache, [name]: value },
      })
      await until(1)
      parent.kill('SIGKILL')
      await until(0)
    })
  }, 30_000)
})
