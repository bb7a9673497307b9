import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directoryReceipts } from '../../cli/evidence/directory.ts'
import type { Receipt } from '../../lib/api/receipt.ts'
import { repoRoot } from '../../tools/cluster/config.ts'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { type ManagedProcess, startProcess } from '../harness/process.ts'
import { POLICY } from './cases.ts'

/** A machine under a desk: one `remit gate`, started as a person does, and scripted models. */
export interface Laptop {
  gate: string
  /** A file of that name, gone with the laptop. */
  file: (name: string) => string
  /** Runs a program; it ends with the laptop at the latest. */
  start: (name: string, program: string, args: string[], env?: NodeJS.ProcessEnv) => Promise<ManagedProcess>
  /** Runs a script of this repository with this Node, and waits until it answers there. */
  serve: (name: string, script: string, args: string[], url: string, env?: NodeJS.ProcessEnv) => Promise<ManagedProcess>
  /** Ends the gate; what is under way is written down as cancelled. */
  receipts: () => Promise<Receipt[]>
  close: () => Promise<void>
}

const OPEN_MS = 60_000

/** @param servers URLs by the names under which the gate gives them to agents; each has a model of its own, `<name>-openai` and `<name>-anthropic` */
export const openLaptop = async (servers: Record<string, string>): Promise<Laptop> => {
  const dir = mkdtempSync(join(tmpdir(), 'remit-compat-'))
  const file = (name: string) => join(dir, name)
  const running: ManagedProcess[] = []
  const start: Laptop['start'] = async (name, command, args, env = {}) => {
    const child = await startProcess({ command, args, env, logFile: file(`${name}.log`), removeOnOrphan: dir })
    running.push(child)
    return child
  }
  const serve: Laptop['serve'] = async (name, script, args, url, env) => {
    const child = await start(name, process.execPath, [join(repoRoot, script), ...args], env)
    await eventually(() => fetch(url).then((answer) => answer.status > 0), { timeoutMs: OPEN_MS }).catch(() => {
      throw new Error(`${name} does not answer at ${url}:\n${readFileSync(file(`${name}.log`), 'utf8').slice(-1_500)}`)
    })
    return child
  }
  const close = async () => {
    await Promise.all(running.map((child) => child.stop(2_000)))
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const [modelPort = 0, gatePort = 0] = await freePorts(2)
    const models = `http://127.0.0.1:${modelPort}`
    const gate = `http://127.0.0.1:${gatePort}`
    writeFileSync(file('policy.yaml'), POLICY)
    const upstreams = Object.entries(servers).flatMap(([name, url]) => [
      ...['--server', `${name}=${url}`],
      ...['--model', `${name}-openai=${models}/v1`, '--model', `${name}-anthropic=${models}`],
    ])
    const flags = ['--policy', file('policy.yaml'), '--port', `${gatePort}`, '--data', file('data'), ...upstreams]
    const [, gateProcess] = await Promise.all([
      serve('models', 'test/fixtures/models/main.ts', [], models, { PORT: `${modelPort}` }),
      serve('gate', 'cli/main.ts', ['gate', ...flags], gate),
    ])
    const receipts = async () => {
      await gateProcess.stop()
      return directoryReceipts(file('data')).list({})
    }
    return { gate, file, start, serve, receipts, close }
  } catch (error) {
    await close()
    throw error
  }
}
