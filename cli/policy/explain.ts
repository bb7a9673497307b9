import type { Past } from '../../lib/api/ledger.ts'
import type { DecisionRecord } from '../../lib/api/receipt.ts'
import type { Remit, RemitRule } from '../../lib/api/remit.ts'
import type { Assessment } from '../../lib/core/decide.ts'
import { remember } from '../../lib/core/history/history.ts'
import type { CallLine } from './calls.ts'
import { type Ask, type Decided, decideLines, newTrack, type Track } from './session.ts'
import type { Tools } from './tools.ts'

/** A rule by name; a name is unique among the rules of one type of a policy. */
export type RuleName = Pick<RemitRule, 'policy' | 'name' | 'type'>

/** What is decided when these rules are gone, the past being as it was with them. */
export interface Without {
  gone: RuleName[]
  decision: DecisionRecord
}
export interface Explained extends Decided {
  /** The rule that decided; absent when none did. */
  by?: RuleName
  /** One rule less, then two. */
  without: Without[]
}

/** How many rules are taken away one after the other. */
const STEPS = 2

/** As {@link decideLines}, with what would have decided if the rule that did were gone. */
export function* explainLines(
  remit: Remit,
  calls: CallLine[],
  options: { tools?: Tools; start: number },
): Generator<Explained> {
  const pasts: Past[] = []
  const tracks = new Map<string, Track>()
  /** The same past under a remit without some rules. */
  const trackWithout = (gone: RuleName[]): Track => {
    const key = gone.map(keyOf).sort().join('\n')
    const known = tracks.get(key)
    if (known !== undefined) return known
    const keys = new Set(gone.map(keyOf))
    const track = newTrack({ ...remit, rules: remit.rules.filter((rule) => !keys.has(keyOf(rule))) })
    for (const past of pasts) remember(track.history, past)
    tracks.set(key, track)
    return track
  }
  let without: Without[] = []
  const each = (ask: Ask, { assessment }: Decided) => {
    without = []
    const gone: RuleName[] = []
    let said = assessment
    for (let step = 0; step < STEPS && said !== undefined; step++) {
      const rule = deciding(said)
      if (rule === undefined) return
      gone.push(rule)
      said = ask(trackWithout(gone))
      without.push({ gone: [...gone], decision: said.decision })
    }
  }
  const past = (happened: Past) => {
    pasts.push(happened)
    for (const { history } of tracks.values()) remember(history, happened)
  }
  for (const decided of decideLines(newTrack(remit), calls, { ...options, each, past })) {
    const by = decided.assessment && deciding(decided.assessment)
    yield { ...decided, ...(by === undefined ? {} : { by }), without: decided.assessment === undefined ? [] : without }
  }
}

const keyOf = ({ policy, type, name }: RuleName): string => `${policy} ${type} ${name}`

/** The finding that became the decision; none when the agent is frozen, a pin is broken or nothing gives. */
export function deciding({ decision, findings }: Assessment): RuleName | undefined {
  // A freeze is told as that of a rule named breaker, which is none of the findings.
  if (decision.code === 'AgentFrozen') return undefined
  const found = findings.find(({ rule, policy }) => rule === decision.rule && policy === decision.policy)
  return found && { policy: found.policy, name: found.rule, type: found.type }
}
