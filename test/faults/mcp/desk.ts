import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** What the server did, in its own words. */
export interface Done {
  tool: string
  id: string
  /** Milliseconds since the epoch. */
  at: number
}

/** What agents ask of the desk. `bytes`: how long the answer is; `steps`: how often it tells how far it is. */
export interface Asked extends Record<string, unknown> {
  id: string
  bytes?: number
  steps?: number
}

const schema = (required: string[]) => ({
  type: 'object' as const,
  properties: {
    id: { type: 'string' },
    amount: { type: 'number' },
    bytes: { type: 'integer' },
    steps: { type: 'integer' },
  },
  required,
})
export const TOOLS = [
  { name: 'read', description: 'Reads a paper', inputSchema: schema(['id']) },
  { name: 'pay', description: 'Pays a bill', inputSchema: schema(['id', 'amount']) },
  { name: 'erase', description: 'Destroys a paper', inputSchema: schema(['id']) },
]

const STEP_MS = 20

/** The text of an answer to a call, by which it is told from any other. */
export const answerTo = (tool: string, { id, bytes = 0 }: Asked): string => `${tool} ${id} ${'.'.repeat(bytes)}`

/** The work of the desk's tools: it is in the journal before anything else is done. */
export const createDesk =
  (journal: string) => async (tool: string, asked: Asked, progress: (done: number, of: number) => Promise<void>) => {
    appendFileSync(journal, `${JSON.stringify({ tool, id: asked.id, at: Date.now() } satisfies Done)}\n`)
    const { steps = 0 } = asked
    for (let step = 1; step <= steps; step++) {
      await pause(STEP_MS)
      await progress(step, steps)
    }
    return { content: [{ type: 'text' as const, text: answerTo(tool, asked) }] }
  }

/** All that was done, in order; a line that a kill cut off is not there. */
export const readJournal = (journal: string): Done[] =>
  readFileSync(journal, { encoding: 'utf8', flag: 'a+' })
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Done)
