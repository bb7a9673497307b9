import { isObject } from '../../../lib/core/json-rpc.ts'
import type { ServerMessage } from '../answer.ts'

/** Pages of a list of tools that are looked at for one of them. */
const MAX_PAGES = 50

/** Has a server's list told page by page, until enough is known of it or it is over. Rejects as `list` does. */
export const lookForTool = async (
  list: (params: { cursor?: string }) => Promise<ServerMessage>,
  isEnough: () => boolean,
): Promise<void> => {
  let cursor: unknown
  for (let page = 0; page < MAX_PAGES && !isEnough(); page++) {
    const { result } = (await list(typeof cursor === 'string' ? { cursor } : {})).message
    cursor = isObject(result) ? result.nextCursor : undefined
    if (typeof cursor !== 'string') return
  }
}
