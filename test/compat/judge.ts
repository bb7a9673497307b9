import { type ClosingReceipt, type IntentReceipt, isClosing, isIntent } from '../../cli/evidence/source.ts'
import { type Receipt, receiptName } from '../../lib/api/receipt.ts'
import { type CaseName, OFFERED, SLOW_SECONDS } from './cases.ts'
import type { JournalLine } from './server/desk.ts'

/** What a client's script says it saw of a case: one JSON line. */
export interface Seen {
  case: CaseName
  /** Names of the tools that were offered. */
  listed: string[]
  /** What came of the call, in the client's own words: the result's text, or the error's. */
  text: string
  /** Whether it counts for the client as having gone wrong. */
  error: boolean
  /** Notifications of progress; absent where the client has no way to hear of them. */
  progress?: number
}

/** Who plays, as far as it matters for what should happen. */
export interface Player {
  /** A bare SDK does what it is told; an agent has its framework between the model and the call. */
  kind: 'sdk' | 'agent'
  /** Gives up by itself what takes more than five seconds. */
  impatient?: true
}

/** Everything there is to know of one case. */
export interface Evidence {
  seen?: Seen | undefined
  receipts: Receipt[]
  journal: JournalLine[]
}

type Ending = ClosingReceipt['body'] | undefined

interface Facts {
  player: Player
  seen: Seen
  intents: IntentReceipt[]
  /** What came of the first intent. */
  ending: Ending
  events: string[]
}

const callOf = ({ body }: IntentReceipt): string | undefined =>
  body.call.type === 'tool' ? String((body.call.arguments as { id?: unknown } | undefined)?.id) : undefined

const outcomeOf = (ending: Ending) => (ending?.kind === 'result' ? ending.outcome : ending?.kind)

type Check = [holds: boolean, otherwise: string]
const decided = ({ intents }: Facts, effect: string, rule: string): Check => [
  intents.length === 1 && intents[0]!.body.decision.effect === effect && intents[0]!.body.decision.rule === rule,
  `the record has ${intents.map(({ body }) => `${body.decision.effect} by ${body.decision.rule}`).join(', ') || 'no call'}, not one ${effect} by ${rule}`,
]
const ended = ({ ending }: Facts, outcome: string): Check => [
  outcomeOf(ending) === outcome,
  `the record says ${outcomeOf(ending) ?? 'nothing'} came of it, not ${outcome}`,
]
const did = ({ events }: Facts, ...wanted: string[]): Check => [
  events.join() === wanted.join(),
  `the server's journal has [${events}], not [${wanted}]`,
]
const told = ({ seen }: Facts, text: string, error?: boolean): Check => [
  seen.text.includes(text) && (error === undefined || seen.error === error),
  `the client saw ${seen.error ? 'the error ' : ''}${JSON.stringify(seen.text.slice(0, 300))}, not ${JSON.stringify(text)}`,
]

const waitedFor = (facts: Facts): Check[] => [
  told(facts, `counted to ${SLOW_SECONDS}`, false),
  [
    facts.seen.progress === undefined || facts.seen.progress >= SLOW_SECONDS - 1,
    `the client heard of progress ${facts.seen.progress} times`,
  ],
  decided(facts, 'Allow', 'everyday'),
  ended(facts, 'ok'),
  did(facts, 'called', 'done'),
]
const givenUp = (facts: Facts): Check[] => [
  [facts.seen.error, 'the client did not give up'],
  decided(facts, 'Allow', 'everyday'),
  ended(facts, 'cancelled'),
  did(facts, 'called', 'cancelled'),
]

const CHECKS: Record<CaseName, (facts: Facts) => Check[]> = {
  allow: (facts) => [
    [
      facts.seen.listed.toSorted().join() === OFFERED.join(),
      `the client was offered ${facts.seen.listed}, not ${OFFERED}`,
    ],
    told(facts, 'allow is open', false),
    decided(facts, 'Allow', 'everyday'),
    ended(facts, 'ok'),
    did(facts, 'called', 'done'),
  ],
  // The reason has to reach the model, or it cannot act on it.
  deny: (facts) => [told(facts, '50.00'), decided(facts, 'Deny', 'small-payments'), did(facts)],
  hidden: (facts) => [
    [!facts.seen.listed.includes('erase'), 'the client was offered what no rule could allow'],
    // A framework that knows its tools refuses the model itself; if it does not, the gate does.
    facts.player.kind === 'agent' && facts.intents.length === 0
      ? [facts.seen.text !== '', 'the model was told nothing']
      : decided(facts, 'Deny', 'never-erase'),
    did(facts),
  ],
  // At once, whatever its patience: the person may be asleep.
  held: (facts) => [told(facts, 'waiting for'), decided(facts, 'Ask', 'letters-are-read-first'), did(facts)],
  slow: (facts) => (facts.player.impatient ? givenUp(facts) : waitedFor(facts)),
  cancelled: givenUp,
  model: (facts) => [
    told(facts, 'model is open', false),
    decided(facts, 'Allow', 'everyday'),
    ended(facts, 'ok'),
    did(facts, 'called', 'done'),
  ],
  // Whether the call took effect is what matters most to know of such an end.
  dies: (facts) => [
    told(facts, 'Whether the call took effect is unknown'),
    decided(facts, 'Allow', 'everyday'),
    ended(facts, 'unreachable'),
    did(facts, 'called'),
  ],
}

const modelCalls = (receipts: Receipt[]): Check => {
  const asked = receipts.filter(isIntent).filter(({ body }) => body.call.type === 'model')
  const answered = asked.filter(({ envelope }) =>
    receipts.some(
      ({ body }) => body.kind === 'result' && body.intent === receiptName(envelope) && body.outcome === 'ok',
    ),
  )
  return [answered.length >= 2, `the record has ${answered.length} answered questions to the model, not two or more`]
}

/** What is wrong with a case, in words; empty when client, record and server agree on what should have happened. */
export const faultsOf = (player: Player, name: CaseName, { seen, receipts, journal }: Evidence): string[] => {
  if (!seen) return ['the client said nothing of this case']
  const intents = receipts.filter(isIntent).filter((intent) => callOf(intent) === name)
  const [first] = intents
  const ending = first && receipts.filter(isClosing).find(({ body }) => body.intent === receiptName(first.envelope))
  const events = journal.filter(({ id }) => id === name).map(({ event }) => event)
  const checks = CHECKS[name]({ player, seen, intents, ending: ending?.body, events })
  if (name === 'model') checks.push(modelCalls(receipts))
  return checks.filter(([holds]) => !holds).map(([, otherwise]) => otherwise)
}
