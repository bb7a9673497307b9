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
const PATIENCE_MS = 420_000

const linesOf = <T>(text: string, which: (line: string) => boolean = Boolean): T[] =>
  text
    .split('\n')
    .filter(which)
    .map((line) => JSON.parse(line) as T)

/** The cases that this client plays: a bare SDK has no model. */
export const casesOf = ({ kind }: Pick<CompatClient, 'kind'>): CaseName[] =>
  PLAYS.map((play) => play.case).filter((name) => name !== 'model' || kind === 'agent')

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

/** What a run left behind: all the client printed, the receipts of its calls, and the server's own journal. */
export interface Traces {
  log: string
  receipts: Receipt[]
  journal: string
}

/** What came of each case of a client, by what it left behind. */
export const cellsOf = (client: CompatClient, era: Era, { log, receipts, journal }: Traces): Cell[] => {
  const happened = linesOf<JournalLine>(journal)
  const seen = linesOf<Seen>(log, (line) => line.startsWith('{"case"'))
  // Once is enough, where it was going to say what it says no more.
  const lastWords = casesOf(client).find((name) => !seen.some((one) => one.case === name))
  return casesOf(client).map((name) => {
    const mine = seen.find((one) => one.case === name)
    const faults = faultsOf(client, name, { seen: mine, receipts, journal: happened })
    if (name === lastWords) faults.push(log.slice(-1_000))
    return { client: client.name, era, case: name, faults }
  })
}

/** What a run left behind on the laptop, by the whole record of its gate. */
export const tracesOf = ({ server }: Run, laptop: Laptop, record: readonly Receipt[]): Traces => {
  const read = (name: string) => (existsSync(laptop.file(name)) ? readFileSync(laptop.file(name), 'utf8') : '')
  return {
    log: read(`${server}-client.log`),
    receipts: record.filter((receipt) => isOf(server, receipt)),
    journal: read(`${server}.journal`),
  }
}
