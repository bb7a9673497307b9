import { expect, test } from 'vitest'
import { CLIENTS, type CompatClient } from './clients.ts'
import type { Cell } from './play.ts'
import { renderBridge, renderMatrix, renderPods, surprises } from './report.ts'

const client: CompatClient = {
  ...CLIENTS[0]!,
  known: { 'legacy slow': 'It is in a hurry.', 'legacy dies': 'It forgets.' },
}
const cell = (name: Cell['case'], ...faults: string[]): Cell => ({
  client: client.name,
  era: 'legacy',
  case: name,
  faults,
})
const cells = [cell('allow'), cell('deny', 'it was made'), cell('slow', 'too late'), cell('dies')]

test('what nobody knew of is told, and what is known and works now', () => {
  expect(surprises([client], cells)).toEqual([
    'ts-v1, legacy server, deny: it was made',
    'ts-v1, legacy server, dies: works now, so it is no longer to be known as broken',
  ])
})

test('the table hides nothing', () => {
  const text = renderMatrix([client], cells)
  expect(text).toContain(
    `| ${client.title} | \`${client.package}\` | ${client.version()} | yes | **no** | – | – | – | no (1) | – | yes |`,
  )
  expect(text).toContain('1. It is in a hurry.')
  expect(text).not.toContain('It forgets.')
})

test('what a client without patience gave up is not told as if it had waited', () => {
  const text = renderMatrix([{ ...client, impatient: true, known: {} }], [cell('allow'), cell('slow')])
  expect(text).toContain('| yes | – | – | – | – | given up | – | – |')
})

test('an agent in a pod that says nothing of a case did not pass it, nor a server behind the bridge', () => {
  const no = (times: number) => '**no** | '.repeat(times).trim()
  expect(renderPods([cell('allow')])).toContain(`| ${client.title} | 2025-11-25 | yes | ${no(7)}`)
  expect(renderPods([cell('allow')])).toContain(`| ${client.title} | 2026-07-28 | ${no(8)}`)
  expect(renderBridge([{ client: client.name, case: 'dies', faults: [] }])).toContain(
    `| ${client.title} | **no** | **no** | yes | **no** |`,
  )
})
