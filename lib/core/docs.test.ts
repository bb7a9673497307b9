import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import type { Constraint, PolicySpec } from '../api/gen/types.ts'
import { compileConstraint } from './constraint.ts'
import { checkPolicy } from './policy-check.ts'
import type { Json } from './strict.ts'
import { ask } from './testing/remit.ts'

const page = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8')
const yaml = (text: string) => load(text) as Json
const block = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``).exec(page)?.[1] ?? ''

const about = { server: 'billing', tool: 'refund' }

describe('docs/policy.md: the table of constraints', () => {
  const rows = [...page.matchAll(/^\| `(\{arg.+?\})` \| `(.+?)` \| `(.+?)` \| `(.+?)` \|$/gm)].map(
    (row) => row.slice(1) as [string, string, string, string],
  )
  test('has a row for each operator', () => {
    for (const operator of ['equals', 'in', 'prefix', 'suffix', 'min', 'max', 'required', 'not', 'optional']) {
      expect(rows.some(([constraint]) => constraint.includes(`${operator}: `))).toBe(true)
    }
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

describe('docs/policy.md: the example', () => {
  const spec = yaml(block('yaml')) as unknown as PolicySpec
  const decisions = [...block('decisions').matchAll(/^(\S+) (\{.*\})\n {2}(\w+): (.+)$/gm)].map(
    (line) => line.slice(1) as [string, string, string, string],
  )
  test('is accepted and every line of what it decides is read', () => {
    expect(checkPolicy(spec)).toEqual([])
    expect(decisions.length).toBe(block('decisions').split('\n').length / 2)
  })
  test.each(decisions)('%s %s', (tool, args, effect, reason) => {
    expect(ask(spec, tool, yaml(args))).toMatchObject({ effect, reason })
  })
})

test('docs/policy.md names everything that is refused', () => {
  const list = /## What is refused\n(.+)/.exec(page)?.[1] ?? ''
  const named = [...list.matchAll(/`(\w+)`/g)].map(([, name]) => name as string)
  const unsupported = [
    'notIn',
    'absent',
    'cidr',
    'pattern',
    'subsetOf',
    'minItems',
    'maxItems',
    'cel',
    'limits',
    'evidence',
    'Draft',
  ]
  for (const name of unsupported) expect(named).toContain(name)
})
