import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { markedProcesses } from '../snapshot.ts'
import type { Command, Component } from './commands.ts'
import type { Layout } from './layout.ts'

/** Environment variable that every process of the cluster carries, so that none can be lost when we are killed. */
export const markerName = 'REMIT_LOCAL_CLUSTER'

const marker = (l: Layout) => `${markerName}=${l.state}`

/** Start time of a process in clock ticks since boot; with the id it identifies a process for good. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command name may contain spaces and brackets; fields are counted after its closing bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** Starts one component in a session of its own, logging to the state folder. It outlives us. */
export function startProcess(l: Layout, name: Component, command: Command, path: string): number {
  const log = openSync(join(l.logs, `${name}.log`), 'a', 0o600)
  try {
    const [key, value] = marker(l).split('=') as [string, string]
    const child = spawn(command.file, command.args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: l.state,
      env: { PATH: path, HOME: '/root', [key]: value, ...command.env },
    })
    if (!child.pid) throw new Error(`${name} could not be started: ${command.file}`)
    // Its failure shows in health checks and its log.
    child.on('error', () => {})
    child.unref()
    const file = join(l.pids, name)
    writeFileSync(`${file}.new`, JSON.stringify({ pid: child.pid, start: startTime(child.pid) }))
    renameSync(`${file}.new`, file)
    return child.pid
  } finally {
    closeSync(log)
  }
}

/** The process id of a component that runs, undefined otherwise. */
export function runningPid(l: Layout, name: Component): number | undefined {
  try {
    const { pid, start } = JSON.parse(readFileSync(join(l.pids, name), 'utf8')) as { pid: number; start: string }
    return start !== undefined && startTime(pid) === start ? pid : undefined
  } catch {
    return undefined
  }
}

/** Resident memory of a process in MiB. */
export function residentMiB(pid: number): number {
  try {
    return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024)
  } catch {
    return 0
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function gone(pids: number[], ms: number): Promise<boolean> {
  const end = Date.now() + ms
  while (pids.some((pid) => startTime(pid) !== undefined)) {
    if (Date.now() > end) return false
    await sleep(50)
  }
  return true
}

/** Sends a signal to a process that may have ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Already gone.
  }
}

/** Stops one component: politely, then for good. */
export async function stopProcess(l: Layout, name: Component, graceMs = 3000): Promise<void> {
  const pid = runningPid(l, name)
  if (pid) {
    signal(pid, 'SIGTERM')
    if (!(await gone([pid], graceMs))) {
      signal(pid, 'SIGKILL')
      await gone([pid], 5000)
    }
  }
  rmSync(join(l.pids, name), { force: true })
}

/** Ends whatever else carries the cluster's mark: processes whose start was not recorded, shims, build helpers. */
export async function stopStragglers(l: Layout): Promise<void> {
  const pids = markedProcesses(marker(l))
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid)
  for (const pid of pids) signal(pid, 'SIGKILL')
  await gone(pids, 5000)
}
