import type { Filter } from '../store/index.ts'
import type { Row } from '../store/rows.ts'

const column = (name: string, description: string, priority = 0) => ({
  name,
  type: 'string',
  format: name === 'Name' ? 'name' : '',
  description,
  priority,
})

export const COLUMNS = [
  column('Name', 'Container start and sequence number; what `kubectl remit why` takes.'),
  column('Agent', 'Name of the AgentIdentity.'),
  column(
    'Action',
    'The tool or model the agent called, what it read, what a server asked of it; or what else happened.',
  ),
  column(
    'Outcome',
    'What came of it: ok, error, cancelled, unreachable, timeout, invalid; input (the server asks for something first), task (it goes on by itself); denied, waiting; pending, or unknown when the sidecar ended first.',
  ),
  column('Rule', 'The rule that decided.'),
  column('Age', 'Time since the sidecar recorded it.'),
  column('Kind', 'Kind of the receipt.', 1),
  column('Call', 'Server and tool, resource, prompt, request or task; or model and path.', 1),
  column('Effect', 'What policy said: Allow, Ask or Deny.', 1),
  column('On-call', 'Who was on call.', 1),
  column('Policy', 'The policy of the rule.', 1),
  column('Reason', 'The decision in one sentence.', 1),
]

/** What a table leaves out unless asked for: results stand in their intents' rows, heartbeats say nothing to a person. */
export const FOR_PEOPLE: Filter = { sql: "kind IN ('incarnation', 'remit', 'intent', 'escalation')", values: [] }

const UNITS: [limitSeconds: number, format: (s: number) => string][] = [
  [120, (s) => `${s}s`],
  [600, (s) => pair(s, 60, 'm', 1, 's')],
  [3 * 3600, (s) => `${Math.floor(s / 60)}m`],
  [8 * 3600, (s) => pair(s, 3600, 'h', 60, 'm')],
  [48 * 3600, (s) => `${Math.floor(s / 3600)}h`],
  [8 * 86400, (s) => pair(s, 86400, 'd', 3600, 'h')],
  [Number.POSITIVE_INFINITY, (s) => `${Math.floor(s / 86400)}d`],
]
const pair = (s: number, unit: number, name: string, small: number, smallName: string) => {
  const rest = Math.floor((s % unit) / small)
  return `${Math.floor(s / unit)}${name}${rest ? `${rest}${smallName}` : ''}`
}

/** An age as kubectl prints ages. */
export const age = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [, format] = UNITS.find(([limit]) => seconds < limit) as (typeof UNITS)[number]
  return format(seconds)
}

/** Text of an agent or tool in a terminal: no control characters, no end of line. */
const plain = (text: string | null): string => (text ?? '').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')

/** Short enough for 80 columns. */
const short = (row: Row): string => {
  // A generation is as long as a time in milliseconds; it is in the object.
  if (row.kind !== 'intent') return row.kind === 'remit' ? 'new remit' : (row.action ?? row.kind)
  if (row.type === 'model') return `model ${row.action?.split(' ')[0]}`
  if (row.type === 'request') return `asks ${row.target}`
  return row.tool ?? `${row.type} ${endOf(row.target ?? '')}`
}

/** The end of a URI tells more than its beginning. */
const endOf = (name: string): string => (name.length > ROOM ? `…${name.slice(1 - ROOM)}` : name)
const ROOM = 20

/** The cells of one receipt, in the order of COLUMNS. */
export const cells = (row: Row, now: number): string[] =>
  [
    row.name,
    row.agent,
    short(row),
    row.outcome ?? (row.kind === 'intent' ? 'pending' : ''),
    row.rule,
    age(now - row.time),
    row.kind,
    row.kind === 'intent' ? row.action : '',
    row.effect,
    row.on_call,
    row.policy,
    row.reason,
  ].map(plain)
