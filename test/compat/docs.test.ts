import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { repoRoot } from '../../tools/cluster/config.ts'
import { CASES, ERAS } from './cases.ts'
import { CLIENTS, isKnown } from './clients.ts'
import { snippetOf } from './docs.ts'
import { ERA_NAMES, ERA_TITLES } from './report.ts'

const page = (name: string) => readFileSync(join(repoRoot, 'docs', name), 'utf8')
const sections = new Map(
  page('clients.md')
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text] as const),
)

describe('docs/clients.md', () => {
  test.each(CLIENTS)('has for $title the lines that its script runs with', (client) => {
    expect(sections.get(client.title)).toContain(snippetOf(client))
  })
  test('has no client that is not played', () => {
    const titles = CLIENTS.map(({ title }) => title)
    expect([...sections.keys()].filter((title) => !titles.includes(title))).toEqual([])
  })
})

describe('docs/compat.md', () => {
  const tables = page('compat.md').split(/^## /m)
  test.each(CLIENTS)('says what became of $title as it is pinned', (client) => {
    for (const era of ERAS)
      expect(tables.find((text) => text.startsWith(ERA_TITLES[era]))).toContain(
        `| ${client.title} | \`${client.package}\` | ${client.version()} | `,
      )
  })
  test.each(CLIENTS.filter(({ pod }) => pod))('says what became of $title in a pod', ({ title, impatient }) => {
    for (const era of ERAS)
      expect(tables.find((text) => text.startsWith('Agents in pods'))).toContain(`| ${title} | ${ERA_NAMES[era]} | `)
    if (!impatient)
      expect(tables.find((text) => text.startsWith('A server on standard input'))).toContain(`| ${title} | `)
  })
  test('hides nothing: what is known not to work stands there with its reason', () => {
    const reasons = CLIENTS.flatMap((client) =>
      ERAS.flatMap((era) => CASES.flatMap((name) => isKnown(client, era, name) ?? [])),
    )
    for (const reason of reasons) expect(page('compat.md')).toContain(reason)
    expect(page('compat.md')).not.toContain('**no**')
  })
})
