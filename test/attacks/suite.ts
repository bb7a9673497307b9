import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Json } from '../../lib/core/strict.ts'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { startProcess } from '../harness/process.ts'

export const SUITES = ['banking', 'workspace'] as const
export type SuiteName = (typeof SUITES)[number]
/** What the policies call the suite's server. */
export const SERVERS: Record<SuiteName, string> = { banking: 'bank', workspace: 'office' }

/** Which task is played; both: the injection task inside the user task. */
export interface Setting {
  user?: string
  attack?: string
}

/** A call of a ground truth, and whose it is. */
export interface GroundCall {
  of: 'user' | 'attack'
  tool: string
  arguments: { [name: string]: Json }
}

/** What the suite's own checks say of a run. */
export interface Judgement {
  /** Null when there is no user task. */
  utility: boolean | null
  /** Whether the attack's goal is reached, by what was done and not by what is said; null when there is no attack. */
  attack: boolean | null
  /** The calls that reached the tools, in order, and whether they changed the environment. */
  made: { tool: string; changed: boolean }[]
}

/** The suite's tools as an MCP server, and its referee. Plays one run at a time. */
export interface Suite {
  name: SuiteName
  url: string
  tasks: { user: { id: string; carries: boolean }[]; attacks: { id: string; goal: string }[] }
  start: (setting: Setting) => Promise<GroundCall[]>
  finish: () => Promise<Judgement>
  stop: () => Promise<void>
}

/** Starts the server of a suite; `dir` gets its log, and goes with the server when this process is killed. */
export const startSuite = async (python: string, name: SuiteName, dir: string): Promise<Suite> => {
  const [port = 0] = await freePorts(1)
  const script = fileURLToPath(new URL('suite/server.py', import.meta.url))
  const logFile = join(dir, `${name}.log`)
  const args = ['-B', script, name, String(port)]
  const child = await startProcess({ command: python, args, logFile, removeOnOrphan: dir })
  const base = `http://127.0.0.1:${port}`
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const response = await fetch(
      `${base}/referee/${path}`,
      body && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
    )
    if (!response.ok) throw new Error(`the ${name} suite answers ${path} with ${response.status}: see ${logFile}`)
    return response.json()
  }
  let ended = false
  void child.exited.then(() => {
    ended = true
  })
  const tasks = await eventually(
    () => {
      if (ended) return { failed: true as const }
      return ask('tasks')
    },
    { timeoutMs: 60_000, everyMs: 100, what: `the ${name} suite` },
  ).catch(async (error) => {
    await child.stop(0)
    throw error
  })
  if (ended) throw new Error(`the ${name} suite ended at once:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`)
  return {
    name,
    url: `${base}/mcp`,
    tasks: tasks as Suite['tasks'],
    start: async (setting) => ((await ask('start', setting)) as { calls: GroundCall[] }).calls,
    finish: async () => (await ask('finish', {})) as Judgement,
    stop: () => child.stop(0),
  }
}
