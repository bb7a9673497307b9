import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Progress } from '../progress.ts'
import { repoRoot, toolsConfig } from './config.ts'
import { down } from './local/down.ts'
import { up } from './local/up.ts'
import { compareSnapshots, takeSnapshot } from './snapshot.ts'

/** `up` in a process of its own, killed after `ms` in the middle of what it was doing. */
async function killedUp(ms: number): Promise<void> {
  const args = [join(repoRoot, 'tools/cluster.ts'), 'up', '--provider', 'local']
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await sleep(ms)
  child.kill('SIGKILL')
  await ended
}

/**
 * Proves that `down` leaves nothing behind: snapshot, up, down, snapshot, compare; then the same with an `up` that is
 * killed at several moments, and that `up` recovers from that. Takes the local cluster down. Returns the number of differences.
 */
export async function checkDown(progress: Progress, write: (line: string) => void): Promise<number> {
  const { cacheDir, path } = toolsConfig()
  await down(cacheDir)
  const before = await takeSnapshot()
  let problems = 0
  const check = async (what: string) => {
    await down(cacheDir)
    // The kernel frees network namespaces and BPF programs a moment after their last user ended.
    let differences: string[] = []
    for (let attempt = 0; attempt < 20; attempt++) {
      differences = compareSnapshots(before, await takeSnapshot())
      if (differences.length === 0) break
      await sleep(250)
    }
    write(`${differences.length === 0 ? 'ok' : 'FAILED'}: down after ${what} leaves the machine as it was`)
    for (const line of differences) write(`  ${line}`)
    problems += differences.length
  }
  await up(cacheDir, path, progress)
  const touched = compareSnapshots(before, await takeSnapshot()).length
  if (touched < 50)
    throw new Error(`A running cluster differs from none in ${touched} lines only: the snapshot does not see it`)
  await check('a full up')
  for (const ms of [1500, 4000, 9000, 17_000]) {
    await killedUp(ms)
    await check(`an up killed after ${ms} ms`)
  }
  await killedUp(13_000)
  await up(cacheDir, path, progress)
  write('ok: up after a killed up succeeds')
  await check('that')
  return problems
}
