import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { Logger } from '../../lib/service/log.ts'
import type { Backend } from '../backend/backend.ts'
import type { Filter } from '../backend/filter.ts'

const AGAIN_MS = 1_000

/** Follows what changes at a server, and goes on when the server ends that. */
export interface Following {
  /** Begins, or begins anew with another request. */
  start: (request: { params: JsonObject; filter: Filter }) => void
  stop: () => void
}

export const createFollowing = (
  backend: Backend,
  { onNotification, log }: { onNotification: (message: JsonObject) => void; log: Logger },
): Following => {
  let stop = () => {}
  const start: Following['start'] = (request) => {
    stop()
    let current = true
    let close = () => {}
    stop = () => {
      current = false
      close()
    }
    const again = () => {
      if (current) setTimeout(() => current && start(request), AGAIN_MS)
    }
    backend.listen(request, { onNotification, onEnd: again }).then(
      (listening) => {
        if (current) close = listening.close
        else listening.close()
      },
      (error: unknown) => {
        log.debug({ err: error }, 'changes of the server cannot be followed now')
        again()
      },
    )
  }
  return { start, stop: () => stop() }
}
