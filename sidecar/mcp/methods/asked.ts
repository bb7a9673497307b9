/** What servers ask of agents at the moment, and what that has come to: bounded, per server. */
export interface Asked {
  /** Does some work at a server on behalf of the agent; while it lasts the server may ask the agent back. */
  during: <T>(server: string, work: () => Promise<T>) => Promise<T>
  /** Whether something of the agent's is under way at the server. */
  isBusy: (server: string) => boolean
  /** Counts one more request of the server; false when it asks too much at once, or too often. */
  admits: (server: string) => boolean
  /** Waits for the agent's answer to one of its requests. */
  waiting: <T>(server: string, work: () => Promise<T>) => Promise<T>
  /** Whether the agent has yet to answer something of the server. */
  isWaiting: (server: string) => boolean
  /** An answer is waited for that belongs to this intent. */
  opened: (intent: string) => void
  /** Whether one was, told once: there is one result of an intent. */
  closed: (intent: string) => boolean
  /** An elicitation by URL that the agent got to see. */
  shown: (server: string, elicitation: string) => void
  /** Whether it did, told once. */
  completed: (server: string, elicitation: string) => boolean
}

/** Requests of one server that may wait for the agent together, and that it may make in a minute. */
export const MAX_WAITING = 16
export const MAX_A_MINUTE = 120
const MINUTE_MS = 60_000
const MAX_KEPT = 1_000

/** Names, of which the oldest make room. */
const kept = () => {
  const names = new Set<string>()
  return {
    add: (name: string) => {
      if (names.size >= MAX_KEPT) names.delete(names.values().next().value!)
      names.add(name)
    },
    take: (name: string) => names.delete(name),
  }
}

const counter = () => {
  const counts = new Map<string, number>()
  const add = (name: string, by: number) => {
    const count = (counts.get(name) ?? 0) + by
    if (count > 0) counts.set(name, count)
    else counts.delete(name)
  }
  return {
    of: (name: string) => counts.get(name) ?? 0,
    while: async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      add(name, 1)
      try {
        return await work()
      } finally {
        add(name, -1)
      }
    },
  }
}

/** @param steady milliseconds, never going back */
export const createAsked = (steady: () => number): Asked => {
  const busy = counter()
  const open = counter()
  const recent = new Map<string, number[]>()
  const shown = kept()
  const intents = kept()
  const keyOf = (server: string, elicitation: string) => `${server} ${elicitation}`
  return {
    during: busy.while,
    isBusy: (server) => busy.of(server) > 0,
    admits: (server) => {
      const now = steady()
      const times = (recent.get(server) ?? []).filter((at) => at > now - MINUTE_MS)
      recent.set(server, times)
      if (open.of(server) >= MAX_WAITING || times.length >= MAX_A_MINUTE) return false
      times.push(now)
      return true
    },
    waiting: open.while,
    isWaiting: (server) => open.of(server) > 0,
    opened: intents.add,
    closed: intents.take,
    shown: (server, elicitation) => shown.add(keyOf(server, elicitation)),
    completed: (server, elicitation) => shown.take(keyOf(server, elicitation)),
  }
}
