import type { CallRecord } from '../../lib/api/receipt.ts'
import type { OtherCall } from '../../lib/core/other-call.ts'

/** What is asked for: a tool, or what else a policy has rules about. */
export type What = { type: 'tool'; server: string; tool: string } | OtherWhat
export interface OtherWhat {
  type: OtherCall['type']
  server: string
  /** URI of a resource, name of a prompt, method of a request. */
  name: string
}

/** `billing/refund`, `docs resource file:///handbook/a.md`, `shop asks elicitation/create`. */
export const labelOf = (what: What): string => {
  if (what.type === 'tool') return `${what.server}/${what.tool}`
  return `${what.server} ${what.type === 'request' ? 'asks' : what.type} ${what.name}`
}

/** What a record of a call is about; undefined when rules do not decide about it. */
export const whatOf = (call: CallRecord): What | undefined => {
  if (call.type === 'tool') return { type: 'tool', server: call.server, tool: call.tool }
  if (call.type === 'resource' || call.type === 'prompt' || call.type === 'request')
    return { type: call.type, server: call.server, name: call.name }
  return undefined
}

/** For a script: a tool by `tool`, anything else by the word a line of calls has for it. */
export const whatJson = (what: What): Record<string, string> =>
  what.type === 'tool' ? { server: what.server, tool: what.tool } : { server: what.server, [what.type]: what.name }
