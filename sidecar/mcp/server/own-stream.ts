import { RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { UserError } from '../../../lib/core/errors.ts'
import type { Outside } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { SessionGone, within } from '../forward.ts'
import type { ServerOptions } from '../ports.ts'
import type { OwnSession } from './own-sessions.ts'
import { openStream } from './stream.ts'

type Listener = Pick<ServerOptions, 'onNotification'> &
  Partial<Pick<ServerOptions, 'onRequest'>> & {
    /** The stream is over, and so is its session perhaps. */
    onEnd?: () => void
  }

/** How long a call waits for the stream that its server may ask by. */
const OPEN_MS = 2_000
/** How long a stream stays open that nobody listens to. */
const LINGER_MS = 30_000

interface Shared {
  listeners: Set<Listener>
  opening?: Promise<void> | undefined
  /** As `opening`, or once it has taken too long to be waited for. */
  opened?: Promise<void>
  close?: ((reason: UpstreamFailure) => void) | undefined
  linger?: NodeJS.Timeout | undefined
}

/**
 * The one stream of each session of the gate's own, for all that listen: a notification is for all of them, a request
 * for the one that has waited longest of those that can answer (servers of the older revisions do not say which
 * request of the client their own is about).
 */
export const createOwnStreams = (gate: Outside) => {
  const streams = new WeakMap<OwnSession, Shared>()

  const open = async (server: RemitServer, own: OwnSession, shared: Shared): Promise<void> => {
    const controller = new AbortController()
    shared.close = (reason) => controller.abort(reason)
    try {
      const stream = await openStream(gate, server, own.session, {
        signal: controller.signal,
        onNotification: (message) => {
          for (const listener of shared.listeners) listener.onNotification(message)
        },
        onRequest: async (request, signal) => {
          const asked = [...shared.listeners].find(({ onRequest }) => onRequest)?.onRequest
          return asked
            ? asked(request, signal)
            : { error: { code: RPC.methodNotFound, message: 'No request of this client is under way.' } }
        },
      })
      stream?.ended.finally(() => {
        shared.opening = undefined
        for (const { onEnd } of shared.listeners) onEnd?.()
      })
    } catch (error) {
      shared.opening = undefined
      if (!(error instanceof UpstreamFailure || error instanceof SessionGone || error instanceof UserError)) throw error
      gate.log.debug({ server: server.name, reason: error.message }, 'a server has no stream open')
    }
  }
  /** Listens until the function it resolves with is called; resolves once the stream is open, or cannot be for now. */
  return async (server: RemitServer, own: OwnSession, listener: Listener): Promise<() => void> => {
    let shared = streams.get(own)
    if (!shared) {
      shared = { listeners: new Set() }
      streams.set(own, shared)
    }
    const { listeners } = shared
    const here = shared
    listeners.add(listener)
    clearTimeout(here.linger)
    if (!here.opening) {
      here.opening = open(server, own, here)
      const limit = within(OPEN_MS)
      const late = new Promise<void>((resolve) => limit.signal.addEventListener('abort', () => resolve()))
      here.opened = Promise.race([here.opening, late]).finally(limit.done)
    }
    await here.opened
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0) return
      clearTimeout(here.linger)
      here.linger = setTimeout(
        () => here.close?.(new UpstreamFailure('cancelled', 'nobody listens', false)),
        LINGER_MS,
      ).unref()
    }
  }
}
export type OwnStreams = ReturnType<typeof createOwnStreams>
