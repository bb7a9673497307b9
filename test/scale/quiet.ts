import { followAudit, type Write } from './audit.ts'
import { byOperator } from './tally.ts'
import { cpuSeconds } from './usage.ts'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export interface Writes {
  /** All since the last `take`, which the next `take` gives. */
  peek(): Write[]
  take(): Write[]
}

export const writesOf = (auditLog: string): Writes => {
  const log = followAudit(auditLog)
  let held: Write[] = []
  const peek = () => {
    held = held.concat(log.take())
    return held
  }
  return {
    peek,
    take: () => {
      const all = peek()
      held = []
      return all
    },
  }
}

/** A share of one processor that asking the ledger who is frozen, and a heartbeat, stay below. */
const IDLE = 0.15

/** Resolves once the operator has neither written nor worked for `ms`. */
export const quiet = async (operator: number, writes: Writes, ms: number): Promise<void> => {
  const state = () => ({ at: performance.now(), cpu: cpuSeconds(operator), written: byOperator(writes.peek()).length })
  let last = state()
  let since = last.at
  while (last.at - since < ms) {
    await sleep(500)
    const now = state()
    const busy = (now.cpu - last.cpu) / ((now.at - last.at) / 1_000) > IDLE
    if (busy || now.written !== last.written) since = now.at
    last = now
  }
}
