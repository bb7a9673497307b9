import type { DecisionRecord } from '../../lib/api/receipt.ts'
import type { Assessment } from '../../lib/core/decide.ts'
import type { CallLine } from '../policy/calls.ts'
import type { Explained, RuleName } from '../policy/explain.ts'
import type { Decided } from '../policy/session.ts'
import { labelOf, whatJson } from '../policy/what.ts'
import { cut } from './cut.ts'
import { oneLine } from './one-line.ts'
import { table } from './table.ts'

/** `billing/refund {"amount":12}`, `docs resource file:///handbook/a.md` */
export const called = ({ what, request }: CallLine, width: number): string => {
  const args = request === undefined || what.type === 'resource' ? '' : ` ${JSON.stringify(request.arguments)}`
  const answer = request?.answer === undefined ? '' : ` answered ${JSON.stringify(request.answer)}`
  return cut(`${labelOf(what)}${args}${answer}`, width)
}

const TYPES: Record<RuleName['type'], string> = {
  tool: 'a rule',
  guard: 'a guard',
  invariant: 'an invariant',
  taint: 'a taint rule',
  resource: 'a rule about resources',
  prompt: 'a rule about prompts',
  request: 'a rule about requests',
}
export const ruleNamed = ({ name, policy }: Pick<RuleName, 'name' | 'policy'>): string => `${name} in ${policy}`
const ruleWithType = (rule: RuleName): string => `${ruleNamed(rule)} (${TYPES[rule.type]})`
const ruleOf = ({ rule, policy }: DecisionRecord): string | undefined =>
  rule === undefined ? undefined : ruleNamed({ name: rule, policy: policy ?? '' })

/** What the decision went by, by what it is about. */
const factsOf = (assessment: Assessment | undefined) => {
  const of = (kind: 'limit' | 'evidence' | 'taint') =>
    (assessment?.facts ?? []).filter(({ what }) => what === kind).map(({ what: _, ...fact }) => fact)
  return {
    class: assessment?.class ?? null,
    limits: of('limit'),
    evidence: of('evidence'),
    taint: of('taint'),
  }
}

/** What a script gets of one call. */
export const decidedJson = ({ decision, assessment, opened }: Decided) => ({
  effect: decision.effect,
  rule: decision.rule ?? null,
  policy: decision.policy ?? null,
  reason: decision.reason,
  facts: factsOf(assessment),
  code: decision.code ?? null,
  ...(opened === undefined ? {} : { opened }),
})

const froze = ({ opened }: Decided): string[] =>
  opened === undefined
    ? []
    : [`The breaker of ${opened.policy} opened: ${opened.detail}. From here on the agent is frozen.`]

/** A row a call, and below it what was decided in words. */
export const renderDecided = (all: Decided[]): string => {
  const rows = all.map(({ call, decision }) => [
    String(call.line),
    decision.effect,
    ruleOf(decision) ?? '-',
    called(call, 100),
  ])
  const [headings, ...lines] = table(['LINE', 'EFFECT', 'RULE', 'CALL'], rows).split('\n')
  const below = (decided: Decided) =>
    [decided.decision.reason, ...froze(decided)].map((text) => `       ${oneLine(text)}`)
  return [headings, ...lines.flatMap((line, index) => [line, ...below(all[index] as Decided)])].join('\n')
}

/** What a script gets of one explained call. */
export const explainedJson = (explained: Explained) => ({
  line: explained.call.line,
  ...whatJson(explained.call.what),
  ...decidedJson(explained),
  type: explained.by?.type ?? null,
  findings: explained.assessment?.findings ?? [],
  without: explained.without.map(({ gone, decision }) => ({
    gone,
    effect: decision.effect,
    rule: decision.rule ?? null,
    policy: decision.policy ?? null,
    reason: decision.reason,
    code: decision.code ?? null,
  })),
})

/** Which rule decided one call, what the others that match say, and what would be decided without it. */
export const renderExplained = ({ call, decision, assessment, by, without, ...rest }: Explained): string => {
  const isBy = ({ rule, policy, type }: Assessment['findings'][number]) =>
    by?.name === rule && by.policy === policy && by.type === type
  const findings = assessment?.findings ?? []
  const others = findings.filter((finding) => !isBy(finding))
  // A rule whose constraints do not hold gives nothing: the call is denied for want of one, and this is the one to see.
  const nearest = findings.some((finding) => isBy(finding) && finding.says === 'nothing')
  const counts = (assessment?.facts ?? []).map(({ rule, detail }) => `${rule}: ${detail}`)
  const rows: [string, string][] = [
    ['decided by', by === undefined ? 'no rule' : `${nearest ? 'no rule; nearest is ' : ''}${ruleWithType(by)}`],
    ['', decision.reason],
    ...froze({ call, decision, ...rest }).map((text): [string, string] => ['', text]),
    ...(assessment?.class === undefined ? [] : [['class', assessment.class] as [string, string]]),
    ...labelled('it saw', counts),
    ...labelled(
      'others',
      others.map(
        ({ rule, policy, type, mode, says, detail }) =>
          `${ruleWithType({ name: rule, policy, type })} says ${says}${mode === 'Observe' ? ', and only observes' : ''}: ${detail}`,
      ),
    ),
    ...without.flatMap(({ gone, decision: then }): [string, string][] => [
      [
        `without ${gone.length === 1 ? 'it' : `${gone.at(-1)?.name} too`}`,
        `${then.effect}${then.rule === undefined ? '' : `, by ${ruleOf(then)}`}: ${then.reason}`,
      ],
    ]),
  ]
  const width = Math.max(...rows.map(([label]) => label.length))
  return [
    `line ${call.line}: ${decision.effect}  ${oneLine(called(call, 120))}`,
    ...rows.map(([label, text]) => `  ${label.padEnd(width)}  ${oneLine(text)}`),
  ].join('\n')
}

const labelled = (label: string, texts: string[]): [string, string][] =>
  texts.map((text, index) => [index === 0 ? label : '', text])
