import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../exec.ts'
import { containerCgroups, type Snapshot, sharedPaths, takeSnapshot } from '../snapshot.ts'
import { components } from './commands.ts'
import { type Layout, layout } from './layout.ts'
import { restoreNetwork } from './network.ts'
import { signal, stopProcess, stopStragglers } from './processes.ts'

/**
 * Takes the local cluster down and puts the machine back to what it was before `up`: processes, containers, mounts,
 * network, packet filter, BPF, cgroups, folders. Safe to run at any time, also after an `up` or `down` that was killed.
 */
export async function down(cacheDir: string): Promise<void> {
  const l = layout(cacheDir)
  if (!existsSync(l.state)) return
  rmSync(l.ready, { force: true })
  for (const name of [...components].reverse().filter((component) => component !== 'containerd'))
    await stopProcess(l, name)
  const before = readBefore(l)
  if (before) {
    await stopContainers(before)
    await stopProcess(l, 'containerd')
    await stopStragglers(l)
    await unmount(l, before)
    await restoreNetwork(before)
    removeCgroups(before)
    removeShared(before)
  }
  await run('rm', ['-rf', '--one-file-system', l.run])
  // Last of all and as a whole: until then another `down` can finish the work.
  await run('rm', ['-rf', '--one-file-system', l.state])
}

function readBefore(l: Layout): Snapshot | undefined {
  // Without it nothing of the machine has been touched yet.
  return existsSync(l.before) ? (JSON.parse(readFileSync(l.before, 'utf8')) as Snapshot) : undefined
}

const ownCgroups = (before: Snapshot) => containerCgroups().filter((dir) => !before.cgroups.includes(dir))

function cgroupTree(dir: string): string[] {
  const below = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return [...below.flatMap((entry) => cgroupTree(join(dir, entry.name))), dir]
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

// The kernel knows who is in a container; containerd may be gone.
async function stopContainers(before: Snapshot): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const pids = ownCgroups(before)
      .flatMap(cgroupTree)
      .flatMap((dir) => readProcesses(dir))
    if (pids.length === 0) return
    for (const pid of new Set(pids)) signal(pid, 'SIGKILL')
    await sleep(50)
  }
}

function readProcesses(dir: string): number[] {
  try {
    return readFileSync(join(dir, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

async function unmount(l: Layout, before: Snapshot): Promise<void> {
  const ours = (mount: string) =>
    mount.startsWith(`${l.state}/`) ||
    mount.startsWith(`${l.run}/`) ||
    sharedPaths.some((path) => mount.startsWith(`${path}/`))
  for (let attempt = 0; attempt < 5; attempt++) {
    const mounts = (await takeSnapshot()).mounts.filter((mount) => ours(mount) && !before.mounts.includes(mount))
    if (mounts.length === 0) return
    // Deepest first; lazily, because a network namespace may be held for another moment.
    for (const mount of mounts.sort().reverse()) await run('umount', ['-l', mount], { allowFailure: true })
  }
}

function removeCgroups(before: Snapshot): void {
  for (const dir of ownCgroups(before).flatMap(cgroupTree)) {
    try {
      rmdirSync(dir)
    } catch {
      // Still emptying, or removed by the kernel's own clean-up in between.
    }
  }
}

function removeShared(before: Snapshot): void {
  for (const path of sharedPaths) {
    if (!before.paths.includes(path) && existsSync(path)) rmSync(path, { recursive: true, force: true })
  }
}
