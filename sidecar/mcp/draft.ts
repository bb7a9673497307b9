import type { RequestId } from '../../lib/api/mcp.ts'
import type { CallRecord } from '../../lib/api/receipt.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import { META_EFFECT, META_RECEIPT } from './messages.ts'

const MAX_ARGUMENTS = 4_000

/**
 * The answer to a call that is only drafted: what would be done, as the receipt shows it. It is an error to clients,
 * because a tool that declares an output schema owes them a result of that form, and there is none.
 */
export const draftAnswer = (
  id: RequestId,
  call: Extract<CallRecord, { type: 'tool' }>,
  receipt: string,
): JsonObject => {
  const args = call.arguments === undefined ? '' : JSON.stringify(call.arguments)
  const shown = args.length > MAX_ARGUMENTS ? `${args.slice(0, MAX_ARGUMENTS)}…` : args
  const text = `Draft: ${call.server}/${call.tool} would be called with ${shown || 'arguments too long to show'}. Nothing was done. Receipt: ${receipt}.`
  return {
    jsonrpc: '2.0',
    id,
    result: {
      content: [{ type: 'text', text }],
      isError: true,
      _meta: { [META_EFFECT]: 'Draft', [META_RECEIPT]: receipt },
    },
  }
}
