import type { ServerResponse } from 'node:http'
import type { SignedRemit } from '../../lib/api/remit.ts'
import type { SidecarCaller } from '../auth/caller.ts'
import type { Remits } from './held.ts'

export interface StreamOptions {
  remits: Remits
  now: () => number
  /** Between two comment lines; a reader that takes nothing for as long is dropped. */
  beatMs?: number
  /** Streams of one pod at a time; the oldest gives way. */
  perPod?: number
}

const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Server-sent events of one agent's remit: the current one, then each newer. A reader that is behind gets the latest
 * only; nothing is queued for it. The stream ends when the token that opened it expires.
 */
export const remitStreams = (options: StreamOptions) => {
  const { remits, now, beatMs = 10_000, perPod = 3 } = options
  const open = new Map<string, Set<() => void>>()

  const register = (pod: string, end: () => void) => {
    const streams = open.get(pod) ?? new Set()
    open.set(pod, streams.add(end))
    const [oldest] = streams
    if (streams.size > perPod) oldest?.()
    return () => {
      streams.delete(end)
      if (!streams.size && open.get(pod) === streams) open.delete(pod)
    }
  }

  const serve = (caller: SidecarCaller, response: ServerResponse) => {
    const { namespace, agent } = caller
    let waiting: SignedRemit | undefined
    /** Set while the kernel has not taken all that was written: one write at a time, however small. */
    let behindSince: number | undefined

    const write = (text: string) => {
      behindSince = now()
      response.write(text, (error) => {
        if (!error) taken()
      })
    }
    const send = (signed: SignedRemit) => {
      if (behindSince !== undefined) waiting = signed
      else write(`event: remit\nid: ${signed.remit.generation}\ndata: ${JSON.stringify(signed)}\n\n`)
    }
    const taken = () => {
      behindSince = undefined
      const next = waiting
      waiting = undefined
      if (next && !response.writableEnded) send(next)
    }
    const beat = () => {
      if (behindSince === undefined) write(': here\n\n')
      else if (now() - behindSince >= beatMs) response.destroy()
    }
    // Nobody waits for the end of what a reader does not take.
    const end = () => (behindSince === undefined ? response.end() : response.destroy())

    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const heart = setInterval(beat, beatMs)
    const expiry = setTimeout(end, Math.min(Math.max(caller.expiresAt - now(), 0), MAX_TIMER_MS))
    const unsubscribe = remits.subscribe(namespace, agent, send)
    const unregister = register(caller.podUID, end)
    response.once('close', () => {
      clearInterval(heart)
      clearTimeout(expiry)
      unsubscribe()
      unregister()
    })
    const current = remits.current(namespace, agent)
    if (current) send(current)
    else write(': here\n\n')
  }
  return {
    serve,
    /** Ends all streams, so that sidecars connect to the next process. */
    close: () => {
      for (const streams of open.values()) for (const end of [...streams]) end()
    },
    count: () => [...open.values()].reduce((sum, streams) => sum + streams.size, 0),
  }
}
