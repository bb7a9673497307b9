import { readFileSync } from 'node:fs'
import { UserError } from '../../lib/core/errors.ts'
import type { CliContext } from '../context.ts'
import { type CallLine, readCalls } from './calls.ts'
import { type Candidate, loadCandidate } from './load.ts'
import { readTools, type Tools } from './tools.ts'

/** The bytes of a file, or of standard input for `-`. @throws UserError BadUsage */
export const readInput = async (path: string): Promise<Uint8Array> => {
  if (path === '-') {
    const chunks: Uint8Array[] = []
    for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
    return Buffer.concat(chunks)
  }
  try {
    return readFileSync(path)
  } catch (error) {
    throw new UserError('BadUsage', { detail: `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}` })
  }
}

export interface CallsFlags {
  policy: string[]
  tools?: string
}

/**
 * The file of calls, and the policy files. `--policy a.yaml calls.jsonl` leaves it to us that the last one is not a
 * policy: an option that takes many takes it too.
 */
const separated = (path: string | undefined, { policy }: CallsFlags): { path: string; policies: string[] } => {
  if (path !== undefined) return { path, policies: policy }
  const [last, ...first] = [...policy].reverse()
  if (last === undefined || first.length === 0)
    throw new UserError('BadUsage', {
      detail: 'name the policy files and the file of calls: --policy FILE... CALLS.jsonl',
    })
  return { path: last, policies: first.reverse() }
}

/** What `policy test` and `policy explain` are given, read and compiled; what a person should know of it is said. */
export const readSession = async (
  context: CliContext,
  positional: string | undefined,
  flags: CallsFlags,
): Promise<{ candidate: Candidate; calls: CallLine[]; tools: Tools | undefined }> => {
  const { path, policies } = separated(positional, flags)
  const tools = flags.tools === undefined ? undefined : readTools(await readInput(flags.tools), flags.tools)
  const source = path === '-' ? 'standard input' : path
  const { calls, strange } = readCalls(await readInput(path), source)
  const servers = [...calls.map(({ what }) => what.server), ...Object.keys(tools ?? {})]
  const candidate = loadCandidate(policies, servers, context.now())
  for (const one of strange) context.err(`${one} means nothing here and is not looked at`)
  sayObserving(context, candidate)
  return { candidate, calls, tools }
}

/** Says which policies were taken as enforced although they are not. */
export const sayObserving = (context: CliContext, { observing }: Candidate): void => {
  for (const name of observing)
    context.err(`${name} only observes: this is what it says, and nothing of it is enforced until mode is Enforce`)
}
