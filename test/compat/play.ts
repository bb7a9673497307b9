import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import type { Receipt } from '../../lib/api/receipt.ts'
import { type CaseName, type Era, PLAYS } from './cases.ts'
import type { CompatClient } from './clients.ts'
import type { Command } from './envs/command.ts'
import { faultsOf, type Seen } from './judge.ts'
import type { Laptop } from './laptop.ts'
import type { JournalLine } from './server/desk.ts'

/** What one case came to with one client before a server of one era; no faults: as it should. */
export interface Cell {
  client: string
  era: Era
  case: CaseName
  faults: string[]
}

/** All cases of one client before a server of one era. */
export interface Run {
  client: CompatClient
  command: Command
  era: Era
  /** What the gate calls its server. */
  server: string
  port: number
}

/** Longer than all cases of the slowest client take together on a machine that does other work. */
const PATIENCE_MS = 180_000

const lines = <T>(file: string, which: (line: string) => boolean = Boolean): T[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(which)
        .map((line) => JSON.parse(line) as T)
    : []

/** The cases that this client plays: a bare SDK has no model. */
export const casesOf = ({ kind, model }: Pick<CompatClient, 'kind' | 'model'>): CaseName[] =>
  PLAYS.map((play) => play.case).filter((name) => name !== 'model' || (kind === 'agent' && model !== false))

/** Plays a run: a server and a client, each a process of its own, with the laptop's gate between them. */
export const playRun = async ({ client, command, era, server, port }: Run, laptop: Laptop): Promise<void> => {
  const env = { ERA: era, PORT: `${port}`, JOURNAL: laptop.file(`${server}.journal`) }
  const url = `http://127.0.0.1:${port}/mcp`
  const desk = await laptop.serve(`${server}-server`, 'test/compat/server/main.ts', [], url, env)
  const script = JSON.stringify(PLAYS.filter((play) => casesOf(client).includes(play.case)))
  mkdirSync(laptop.file(`${server}-home`))
  const child = await laptop.start(`${server}-client`, command.program, [...command.args, script], {
    ...command.env,
    HOME: laptop.file(`${server}-home`),
    REMIT_MCP_DESK: `${laptop.gate}/mcp/${server}`,
    OPENAI_BASE_URL: `${laptop.gate}/llm/${server}-openai`,
    OPENAI_API_KEY: 'remit',
    ANTHROPIC_BASE_URL: `${laptop.gate}/llm/${server}-anthropic`,
    ANTHROPIC_API_KEY: 'remit',
  })
  const late = setTimeout(() => child.signal('SIGKILL'), PATIENCE_MS)
  await child.exited
  clearTimeout(late)
  await desk.stop(0)
}

const isOf = (server: string, { body }: Receipt): boolean =>
  body.kind !== 'intent' ||
  (body.call.type === 'model' ? body.call.model.startsWith(`${server}-`) : body.call.server === server)

/** What came of a run that was played, by the whole record of the gate. */
export const cellsOf = ({ client, era, server }: Run, laptop: Laptop, record: readonly Receipt[]): Cell[] => {
  const receipts = record.filter((receipt) => isOf(server, receipt))
  const journal = lines<JournalLine>(laptop.file(`${server}.journal`))
  const log = laptop.file(`${server}-client.log`)
  const seen = lines<Seen>(log, (line) => line.startsWith('{"case"'))
  // Once is enough, where it was going to say what it says no more.
  const lastWords = casesOf(client).find((name) => !seen.some((one) => one.case === name))
  return casesOf(client).map((name) => {
    const mine = seen.find((one) => one.case === name)
    const faults = faultsOf(client.kind, name, { seen: mine, receipts, journal })
    if (name === lastWords) faults.push(readFileSync(log, 'utf8').slice(-1_000))
    return { client: client.name, era, case: name, faults }
  })
}
