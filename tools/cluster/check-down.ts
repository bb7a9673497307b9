// Proves that `down` leaves nothing behind: snapshot, up, pods, down, snapshot, compare; then the same with an `up`
// that is killed at several moments. Takes the local cluster down, so it is run on purpose: node tools/cluster/check-down.ts
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentProgress } from '../progress.ts'
import { toolsConfig } from './config.ts'
import { down } from './local/down.ts'
import { up } from './local/up.ts'
import { compareSnapshots, takeSnapshot } from './snapshot.ts'

const { cacheDir, path } = toolsConfig()

/** Up in a process of its own, killed after `ms` with everything it was doing. */
async function killedUp(ms: number): Promise<void> {
  const child = spawn(process.execPath, [import.meta.filename, '--up'], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await sleep(ms)
  child.kill('SIGKILL')
  await ended
}

async function main(): Promise<number> {
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
    console.log(`${differences.length === 0 ? 'ok' : 'FAILED'}: down after ${what} leaves the machine as it was`)
    for (const line of differences) console.log(`  ${line}`)
    problems += differences.length
  }
  await up(cacheDir, path, silentProgress)
  await check('a full up')
  for (const ms of [700, 3000, 8000, 16_000]) {
    await killedUp(ms)
    await check(`an up killed after ${ms} ms`)
  }
  await killedUp(12_000)
  await up(cacheDir, path, silentProgress)
  console.log('ok: up after a killed up succeeds')
  await check('that')
  return problems === 0 ? 0 : 1
}

if (process.argv[2] === '--up') await up(cacheDir, path, silentProgress)
else process.exitCode = await main()
