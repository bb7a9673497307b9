import type { CallRecord, IntentBody, Receipt } from '../../lib/api/receipt.ts'
import { cut } from './cut.ts'

/** `billing/refund`, `resource file:///handbook/a.md of docs` or `POST chat/completions of main`. */
const callName = (call: CallRecord): string => {
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
const callArguments = (call: CallRecord, width: number): string => {
  if (call.type === 'model') return call.requestedModel ? `model ${call.requestedModel}` : `${call.requestBytes} bytes`
  // The name of a resource, of what is completed and of a task says all that a line has room for.
  if (call.type === 'resource' || call.type === 'completion' || call.type === 'task') return ''
  if (call.arguments === undefined) return `(${call.argumentsBytes} bytes, too long for the receipt)`
  return cut(JSON.stringify(call.arguments), width)
}

const CAME_OF_IT: Record<string, string> = {
  ok: 'done',
  error: 'answered with an error',
  cancelled: 'the agent gave up waiting; whether it took effect is unknown',
  unreachable: 'the server could not be reached',
  timeout: 'no answer in time; whether it took effect is unknown',
  invalid: 'the answer was not MCP; whether it took effect is unknown',
  input: 'the server asks for something first; nothing was done yet',
  task: 'the server goes on by itself; see what became of the task',
}

/** Of what a server asked, the answer is the agent's. */
const CAME_OF_REQUEST: Record<string, string> = {
  ...CAME_OF_IT,
  ok: 'the agent answered, and the server has the answer',
  error: 'the server got an error instead of an answer',
  cancelled: 'the server got no answer',
}

/** One phrase for what came of a call. */
export const outcome = (intent: IntentBody, closing: Receipt | undefined): string => {
  if (intent.decision.effect === 'Ask') return 'waiting'
  if (intent.decision.effect !== 'Allow') return 'not made'
  if (!closing) return 'under way'
  if (closing.body.kind === 'orphan') return 'unknown: the sidecar ended before the answer came'
  if (closing.body.kind !== 'result') return 'unknown'
  const phrases = intent.call.type === 'request' ? CAME_OF_REQUEST : CAME_OF_IT
  return phrases[closing.body.outcome] ?? closing.body.outcome
}

/** What was called and with what, on one line. */
export const callLine = (call: CallRecord, width: number): string =>
  `${callName(call)} ${callArguments(call, width)}`.trimEnd()

/** What a table has room for. */
export const shortOutcome = (intent: IntentBody, closing: Receipt | undefined): string => {
  if (intent.decision.effect === 'Allow' && closing?.body.kind === 'result') return closing.body.outcome
  return outcome(intent, closing).split(':')[0] as string
}
