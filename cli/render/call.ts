import type { CallRecord, IntentBody, Receipt } from '../../lib/api/receipt.ts'

const cut = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)

/** `billing/refund`, `resource file:///handbook/a.md of docs` or `POST chat/completions of main`. */
export const callName = (call: CallRecord): string => {
  switch (call.type) {
    case 'tool':
      return `${call.server}/${call.tool}`
    case 'model':
      return `${call.model} ${call.method} ${call.path}`
    case 'request':
      return `${call.server} asks the agent: ${call.method}`
    case 'task':
      return `task ${call.name} of ${call.server} (${call.method})`
    default:
      return `${call.type} ${call.name} of ${call.server}${PLAIN_READS.has(call.method) ? '' : ` (${call.method})`}`
  }
}
const PLAIN_READS = new Set(['resources/read', 'prompts/get', 'completion/complete'])

/** The arguments on one line, cut to `width`, with control characters shown as escapes. */
export const callArguments = (call: CallRecord, width: number): string => {
  if (call.type === 'model') return call.requestedModel ? `model ${call.requestedModel}` : `${call.requestBytes} bytes`
  if (call.arguments === undefined) return `(${call.argumentsBytes} bytes, too long for the receipt)`
  return cut(JSON.stringify(call.arguments), width)
}

const CAME_OF_IT: Record<string, string> = {
  ok: 'done',
  error: 'the tool answered with an error',
  cancelled: 'the agent gave up waiting; whether it took effect is unknown',
  unreachable: 'the server could not be reached',
  timeout: 'no answer in time; whether it took effect is unknown',
  invalid: 'the answer was not MCP; whether it took effect is unknown',
  input: 'the server asks for something first; nothing was done yet',
  task: 'the server goes on by itself; see what became of the task',
}

/** One phrase for what came of a call. */
export const outcome = (intent: IntentBody, closing: Receipt | undefined): string => {
  if (intent.decision.effect === 'Ask') return 'waiting'
  if (intent.decision.effect !== 'Allow') return 'not made'
  if (!closing) return 'under way'
  if (closing.body.kind === 'orphan') return 'unknown: the sidecar ended before the answer came'
  return closing.body.kind === 'result' ? (CAME_OF_IT[closing.body.outcome] ?? closing.body.outcome) : 'unknown'
}

/** What a table has room for. */
export const shortOutcome = (intent: IntentBody, closing: Receipt | undefined): string => {
  if (intent.decision.effect === 'Allow' && closing?.body.kind === 'result') return closing.body.outcome
  return outcome(intent, closing).split(':')[0] as string
}
