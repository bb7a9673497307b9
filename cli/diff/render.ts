import type { DecisionRecord } from '../../lib/api/receipt.ts'
import type { Difference } from './diff.ts'
import type { Example } from './example.ts'

const decisionJson = ({ effect, rule, policy, code, reason }: DecisionRecord) => ({
  effect,
  rule: rule ?? null,
  policy: policy ?? null,
  code: code ?? null,
  reason,
})

/** What `-o json` prints: verdict, examples, loosened, undecided. */
export const differenceJson = ({ verdict, examples, loosened, undecided }: Difference): object => ({
  verdict,
  examples: examples.map(({ candidate: { target, arguments: args, objects }, before, decided }) => ({
    server: target.server,
    tool: target.tool,
    arguments: args,
    ...(target.annotated === undefined ? {} : { annotatedClass: target.annotated }),
    ...(objects.length === 0 ? {} : { objects }),
    ...(before.says === '' ? {} : { history: before.says }),
    old: decisionJson(decided.old),
    new: decisionJson(decided.new),
  })),
  loosened,
  undecided,
})

/** What a person reads. */
export function renderDifference(difference: Difference): string {
  const { verdict, examples, loosened, undecided } = difference
  const lines: string[] = []
  const about = (question: Example['question']): Example[] => examples.filter((each) => each.question === question)
  for (const [question, title] of [
    ['Allow', 'Newly allowed:'],
    ['Ask', 'Newly waiting for a person, or drafted:'],
  ] as const) {
    const found = about(question)
    if (found.length > 0) lines.push(title, ...found.flatMap(exampleLines))
  }
  if (loosened.length > 0) lines.push('No longer held back:', ...loosened.map(({ detail }) => `  ${detail}`))
  if (undecided.length > 0) lines.push('Cannot be decided:')
  for (const { question, server, tool, because } of undecided)
    lines.push(`  whether a call of ${server}/${tool} ${QUESTION[question]}, because ${because}`)
  return [...lines, VERDICT[verdict]].join('\n')
}

const QUESTION = { Allow: 'is newly allowed', Ask: 'newly waits or is drafted' }
const VERDICT = {
  'no wider': 'no wider',
  wider: 'wider',
  undecided: 'not decided: nothing wider was found, and it was not shown that there is nothing',
}

function exampleLines({ candidate, before, decided }: Example): string[] {
  const { target, arguments: args, objects } = candidate
  return [
    `  ${target.server}/${target.tool} ${JSON.stringify(args)}`,
    ...(target.annotated === undefined ? [] : [`    where its server's annotations make it ${target.annotated}`]),
    ...objects.map(({ tool, value }) => `    where ${tool} returns ${JSON.stringify(value)}`),
    ...(before.says === '' ? [] : [`    ${before.says}`]),
    `    old: ${decisionLine(decided.old)}`,
    `    new: ${decisionLine(decided.new)}`,
  ]
}

const decisionLine = ({ effect, rule, policy, reason }: DecisionRecord): string =>
  `${effect}${rule === undefined ? '' : ` by ${rule} of ${policy}`}: ${reason}`
