import { readdirSync, readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import type { Constraint, PolicySpec, ToolDefinition } from '../api/gen/types.ts'
import { compileConstraint } from './constraint.ts'
import { parseDuration } from './duration.ts'
import { OPERATORS } from './operator.ts'
import type { OtherCall } from './other-call.ts'
import { checkPolicy } from './policy-check.ts'
import type { Json } from './strict.ts'
import { agentUnder } from './testing/agent.ts'

const docs = new URL('../../docs/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, docs), 'utf8')
const yaml = (text: string) => load(text) as Json
const classes = readdirSync(new URL('policy/', docs)).map((name) => `policy/${name}`)

describe('docs/policy.md: the table of constraints', () => {
  const about = { server: 'billing', tool: 'refund' }
  const rows = [
    ...read('policy.md').matchAll(/^\| `(\{(?:arg|cel|not).+?\})` \| `(.+?)` \| `(.+?)` \| `(.+?)` \|$/gm),
  ].map((row) => row.slice(1) as [string, string, string, string])
  test.each([...OPERATORS, 'not', 'optional'])('has a row for %s', (operator) => {
    expect(rows.some(([constraint]) => constraint.includes(`${operator}: `))).toBe(true)
  })
  test.each(rows)('%s', (constraint, holds, fails, denied) => {
    const parsed = yaml(constraint) as unknown as Constraint
    expect(checkPolicy({ tools: [{ name: 'r', match: { tools: ['*'] }, effect: 'Allow', where: [parsed] }] })).toEqual(
      [],
    )
    const evaluate = compileConstraint(parsed, 'every', false)
    expect(evaluate(yaml(holds), about).is).toBe('true')
    expect(['false', 'nothing']).toContain(evaluate(yaml(fails), about).is)
    expect(evaluate(yaml(denied), about).is).toBe('error')
  })
})

/** One line of a story: what happens, and for a call what is decided. */
const LINE =
  /^(?:(?<later>\S+) later|(?<declared>\S+) is declared (?<definition>\{.*\})|(?<readBy>\S+) reads (?<value>\{.*\})|(?:(?<tool>[^\s/]+\/\S+) (?<args>\{.*\})(?: (?<came>fails|is under way))?|(?<server>\S+) (?<word>resource|prompt|asks) (?<name>\S+)(?: (?<given>\{.*?\}))?(?: and gets (?<answer>\{.*\}))?)\n {2}(?<effect>\w+): (?<reason>.+))$/gm

type Groups = Record<
  | ('later' | 'declared' | 'definition' | 'readBy' | 'value' | 'tool' | 'args' | 'came' | 'effect' | 'reason')
  | ('server' | 'word' | 'name' | 'given' | 'answer'),
  string
>

const TYPES = { resource: 'resource', prompt: 'prompt', asks: 'request' } as const

/** Plays a story against its policy; returns how many of its lines were understood. */
function play(spec: PolicySpec, story: string): number {
  const lines = [...story.matchAll(LINE)]
  const servers = new Set(
    lines.flatMap(({ groups }) => {
      const { tool = '', server } = groups as Groups
      return server ?? (tool.split('/')[0] || [])
    }),
  )
  const agent = agentUnder(spec, [], [...servers])
  const definitions = new Map<string, ToolDefinition>()
  const objects = new Map<string, Json>()
  let understood = 0
  for (const line of lines) {
    understood += line[0].split('\n').length
    const is = line.groups as Groups
    if (is.later) agent.wait(parseDuration(is.later) as number)
    else if (is.declared) definitions.set(is.declared, yaml(is.definition) as ToolDefinition)
    else if (is.readBy) objects.set(is.readBy, yaml(is.value))
    else if (is.server) {
      const type = TYPES[is.word as keyof typeof TYPES]
      const call = { type, server: is.server, name: is.name, arguments: yaml(is.given ?? '{}') } as OtherCall
      const { effect, reason } = agent.other(call, is.answer === undefined ? undefined : yaml(is.answer))
      const asked = line[0].slice(0, line[0].indexOf('\n'))
      expect(`${asked}\n  ${effect}: ${reason}`).toBe(line[0])
    } else {
      const outcome = is.came === 'fails' ? 'error' : is.came === 'is under way' ? 'open' : 'ok'
      const more = {
        definition: definitions.get(is.tool),
        objects: [...objects].map(([tool, value]) => ({ tool, value })),
      }
      const { effect, reason } = agent.call(is.tool, yaml(is.args), { outcome, ...more })
      expect(`${is.tool} ${is.args}\n  ${effect}: ${reason}`).toBe(
        `${is.tool} ${is.args}\n  ${is.effect}: ${is.reason}`,
      )
    }
  }
  return understood
}

describe.each(['policy.md', ...classes])('docs/%s', (path) => {
  const stories = [...read(path).matchAll(/```yaml\n([\s\S]*?)\n```\n[^`]*```decisions\n([\s\S]*?)\n```/g)]
  test('tells at least one story', () => expect(stories.length).toBeGreaterThan(0))
  test.each(stories.map(([, policy, story], index) => [index + 1, policy as string, story as string] as const))(
    'story %i is decided as it says',
    (_, policy, story) => {
      const spec = yaml(policy) as unknown as PolicySpec
      expect(checkPolicy(spec)).toEqual([])
      expect(play(spec, story)).toBe(story.split('\n').length)
    },
  )
})

test('every policy on the pages has a story', () => {
  for (const path of ['policy.md', ...classes]) {
    const policies = read(path).match(/```yaml\n/g)?.length
    expect([path, read(path).match(/```decisions\n/g)?.length]).toEqual([path, policies])
  }
})
