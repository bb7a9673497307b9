import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../fuzz/random.ts'
import { freePorts } from '../../harness/ports.ts'
import type { ManagedProcess } from '../../harness/process.ts'
import { runScript, type World, waitForPort } from '../../sidecar/world.ts'
import type { Era } from './agent.ts'
import { readJournal } from './desk.ts'
import { count, type Tally } from './trouble.ts'

const SCRIPT = new URL('server.ts', import.meta.url).pathname

/** A server in a process of its own, which can be killed and comes back at the same place. */
export const startDesk = async (world: World, name: string, era: Era) => {
  const [port = 0] = await freePorts(1)
  const journal = world.path(`${name}.ndjson`)
  const begin = async (): Promise<ManagedProcess> => {
    const child = await runScript(world, SCRIPT, [era, `${port}`, journal], {}, name)
    await waitForPort(port)
    return child
  }
  let child = await begin()
  return {
    url: `http://127.0.0.1:${port}`,
    done: () => readJournal(journal),
    again: async () => {
      child.signal('SIGKILL')
      await child.exited
      child = await begin()
    },
  }
}

/** Kills the servers in turn, until it is ended. */
export const beginKilling = (
  desks: { again: () => Promise<void> }[],
  { random, everyMs, thrown }: { random: Random; everyMs: number; thrown: Tally },
) => {
  const stop = new AbortController()
  const killing = (async () => {
    for (;;) {
      await pause(everyMs / 2 + random.below(everyMs), undefined, { signal: stop.signal })
      count(thrown, 'server killed and started again')
      await random.pick(desks).again()
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
  })
  return () => {
    stop.abort()
    return killing
  }
}
