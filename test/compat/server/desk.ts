import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** One line of the server's own journal: what it was really asked, and how that ended. */
export interface JournalLine {
  event: 'called' | 'done' | 'cancelled'
  tool: string
  /** The call's `id` argument: which case it belongs to. */
  id: string
}

export interface DeskCall {
  name: string
  arguments: Record<string, unknown>
  signal: AbortSignal
  /** Tells the client how far it is, where the client asked for that. */
  progress: (done: number, of: number) => Promise<void>
}

const id = { id: { type: 'string', description: 'Which paper' } } as const
const tool = (name: string, description: string, more: Record<string, { type: string; description: string }> = {}) => ({
  name,
  description,
  inputSchema: {
    type: 'object' as const,
    properties: { ...id, ...more },
    required: ['id', ...Object.keys(more)],
  },
})

export const TOOLS = [
  tool('read', 'Reads a paper'),
  tool('pay', 'Pays a bill', { amount: { type: 'number', description: 'Euros' } }),
  tool('send', 'Sends a letter'),
  tool('erase', 'Destroys a paper'),
  tool('count', 'Counts the papers, one a second', { seconds: { type: 'integer', description: 'How many' } }),
  tool('quit', 'Makes the server end while it works'),
]

/** The desk's tools, whatever era the server around them speaks; every call is written to `journal` first. */
export const createDesk = (journal: string) => {
  const write = (line: JournalLine) => appendFileSync(journal, `${JSON.stringify(line)}\n`)
  const work: Record<string, (call: DeskCall, paper: string) => Promise<string> | string> = {
    read: (_call, paper) => `${paper} is open`,
    pay: (_call, paper) => `${paper} is paid`,
    send: (_call, paper) => `${paper} is sent`,
    erase: (_call, paper) => `${paper} is gone`,
    count: async ({ arguments: { seconds }, signal, progress }) => {
      const all = Number(seconds)
      for (let done = 1; done <= all; done++) {
        await pause(1_000, undefined, { signal })
        await progress(done, all)
      }
      return `counted to ${all}`
    },
    quit: () => process.exit(1),
  }
  return async (call: DeskCall): Promise<{ content: { type: 'text'; text: string }[] }> => {
    const paper = String(call.arguments.id)
    const line = { tool: call.name, id: paper }
    write({ event: 'called', ...line })
    try {
      const text = (await work[call.name]?.(call, paper)) ?? `there is no tool ${call.name}`
      write({ event: 'done', ...line })
      return { content: [{ type: 'text', text }] }
    } catch (error) {
      if (!call.signal.aborted) throw error
      write({ event: 'cancelled', ...line })
      return { content: [{ type: 'text', text: 'cancelled' }] }
    }
  }
}
