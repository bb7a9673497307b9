import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { Hello } from '../child/handshake.ts'
import type { Filter } from './filter.ts'

/** A request in the form of 2026-07-28: what the server must know of the client stands in `_meta`. */
export interface BackendRequest {
  method: string
  params: JsonObject
}

export interface BackendSink {
  /** A message of 2026-07-28 whose id is not yet the caller's; `error` is its error code. */
  onAnswer: (text: string, error?: number) => void
  /** A notification that belongs to this call. */
  onNotification: (message: JsonObject) => void
  onLost: (detail: string, effect: 'none' | 'unknown') => void
}

export interface Listening {
  honored: Filter
  close: () => void
}

/** A server as 2026-07-28 has it, whatever it speaks itself. Everything may reject with Unavailable. */
export interface Backend {
  hello: () => Promise<Hello>
  call: (request: BackendRequest, sink: BackendSink) => Promise<{ cancel: (reason: string) => void }>
  /**
   * `onNotification` gets messages without a subscription id; `onEnd` is told when no more will come,
   * and whether the server said so.
   */
  listen: (
    request: { params: JsonObject; filter: Filter },
    sink: { onNotification: (message: JsonObject) => void; onEnd: (graceful: boolean) => void },
  ) => Promise<Listening>
}
