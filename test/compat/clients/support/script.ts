import type { Play } from '../../cases.ts'
import type { Seen } from '../../judge.ts'

/** Plays the cases that this process was started with, and prints what was seen of each. */
export const playAll = async (play: (one: Play) => Promise<Omit<Seen, 'case'>>): Promise<void> => {
  for (const one of JSON.parse(process.argv[2] ?? '[]') as Play[]) {
    const seen = await play(one).catch((error: Error) => ({ listed: [], text: String(error.stack), error: true }))
    console.log(JSON.stringify({ case: one.case, ...seen }))
  }
}

/** Text of a tool's result. */
export const textOf = (result: object): string =>
  (result as { content: { text?: string }[] }).content.map((part) => part.text ?? '').join('')

/** What the scripted models understand. */
export const promptOf = ({ tool, arguments: args }: Play): string => `CALL ${JSON.stringify({ tool, arguments: args })}`
