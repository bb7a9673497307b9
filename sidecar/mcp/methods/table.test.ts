import { readFileSync } from 'node:fs'
import * as v1 from '@modelcontextprotocol/sdk/types.js'
import { specTypeSchemas as v2 } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { fateOf, METHODS } from './table.ts'

const docs = readFileSync(new URL('../../../docs/sidecar.md', import.meta.url), 'utf8')

/** Rows "| `method` (2025) | fate | what that means |" below "### From the agent" and "### From a server". */
const documented = ['agent', 'server'].flatMap((from) => {
  const section = docs.split(`### From ${from === 'agent' ? 'the agent' : 'a server'}\n`)[1]?.split('\n#')[0] ?? ''
  return [...section.matchAll(/^\| (`.+?) \| (\w+) \| .+ \|$/gm)].flatMap(([, methods, fate]) =>
    [...methods!.matchAll(/`([^`]+)`(?: \((2025|2026)\))?/g)].map(([, method, year]) => {
      const kind = method!.startsWith('notifications/') ? 'notification' : 'request'
      const era = year === undefined ? '' : year === '2025' ? 'legacy' : 'modern'
      return [from, kind, method, fate, era].join(' ')
    }),
  )
})
const known = METHODS.map(({ from, kind, method, fate, era = '' }) => [from, kind, method, fate, era].join(' '))

describe('the table of methods', () => {
  it('is the one in the documentation, both ways', () => {
    expect([...documented].sort()).toEqual([...known].sort())
  })
  it('has each message once', () => {
    const names = METHODS.map(({ from, kind, method }) => `${from} ${kind} ${method}`)
    expect(new Set(names).size).toBe(names.length)
  })

  /** Methods of the messages that an SDK has schemas of. */
  const methodsOf = (types: object): string[] =>
    Object.values(types).flatMap((schema) => {
      const shape = (schema as { shape?: { method?: { value?: unknown } } } | undefined)?.shape
      return typeof shape?.method?.value === 'string' ? [shape.method.value] : []
    })
  it.each([
    ['sdk 1', methodsOf(v1)],
    ['server 2', methodsOf(v2)],
  ])('has every message that %s knows', (_sdk, methods) => {
    expect(methods.length).toBeGreaterThan(20)
    const ours = new Set(METHODS.map(({ method }) => method))
    expect(methods.filter((method) => !ours.has(method))).toEqual([])
  })

  it('refuses what is not in it, or not in that revision', () => {
    expect(fateOf('agent', 'request', 'resources/write')).toBe('refused')
    expect(fateOf('agent', 'notification', 'tools/call')).toBe('refused')
    expect(fateOf('server', 'request', 'tools/call')).toBe('refused')
    expect(fateOf('agent', 'request', 'initialize', 'modern')).toBe('refused')
    expect(fateOf('agent', 'request', 'server/discover', 'legacy')).toBe('refused')
    expect(fateOf('agent', 'request', 'tools/call', 'modern')).toBe('decided')
  })
})
