import type { DecisionRecord } from '../../lib/api/receipt.ts'
import type { Json } from '../../lib/core/strict.ts'
import type { Difference } from './diff.ts'
import type { Example } from './example.ts'
import type { Target } from './side.ts'

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
    ...targetJson(target, args),
    ...(target.type === 'resource' ? {} : { arguments: args }),
    ...(target.annotated === undefined ? {} : { annotatedClass: target.annotated }),
    ...(objects.length === 0 ? {} : target.type === 'answer' ? { answer: objects[0]?.value } : { objects }),
    ...(before.says === '' ? {} : { history: before.says }),
    old: decisionJson(decided.old),
    new: decisionJson(decided.new),
  })),
  loosened,
  undecided: undecided.map(({ question, target, because }) => ({ question, ...targetJson(target), because })),
})

/** As a line of a file of calls names it; of resources that could not be decided, all of a server's. */
const targetJson = ({ type, server, tool }: Target, args?: Json): Record<string, string> => {
  if (type === undefined) return { server, tool }
  if (type === 'resource') return { server, resource: uriIn(args) ?? '*' }
  return { server, [type === 'prompt' ? 'prompt' : 'request']: tool }
}

const uriIn = (args: Json | undefined): string | undefined => (args as { uri?: string } | undefined)?.uri

const SAYS = { prompt: 'prompt', request: 'asks', answer: 'gets an answer to' }
const label = ({ type, server, tool }: Target, args?: Json): string => {
  if (type === undefined) return `${server}/${tool}`
  if (type === 'resource') return `${server} resource ${uriIn(args) ?? '*'}`
  return `${server} ${SAYS[type]} ${tool}`
}

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
  for (const { question, target, because } of undecided)
    lines.push(`  whether a call of ${label(target)} ${QUESTION[question]}, because ${because}`)
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
    `  ${label(target, args)}${target.type === 'resource' ? '' : ` ${JSON.stringify(args)}`}`,
    ...(target.annotated === undefined ? [] : [`    where its server's annotations make it ${target.annotated}`]),
    ...objects.map(({ tool, value }) =>
      target.type === 'answer'
        ? `    where the agent answers ${JSON.stringify(value)}`
        : `    where ${tool} returns ${JSON.stringify(value)}`,
    ),
    ...(before.says === '' ? [] : [`    ${before.says}`]),
    `    old: ${decisionLine(decided.old)}`,
    `    new: ${decisionLine(decided.new)}`,
  ]
}

const decisionLine = ({ effect, rule, policy, reason }: DecisionRecord): string =>
  `${effect}${rule === undefined ? '' : ` by ${rule} of ${policy}`}: ${reason}`
