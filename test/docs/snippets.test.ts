import { readdirSync, readFileSync } from 'node:fs'
import { loadAll } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import type { OwnerGroup, PolicySpec } from '../../lib/api/gen/types.ts'
import { GROUP } from '../../lib/api/names.ts'
import { type RemitKind, validate } from '../../lib/api/validate.ts'
import { checkOwnerGroup, checkPolicy } from '../../lib/core/policy-check.ts'

// What people copy from the pages and the demo must be accepted.
const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const folder = (dir: string, ending: string) =>
  readdirSync(new URL(dir, root))
    .filter((name) => name.endsWith(ending))
    .map((name) => `${dir}${name}`)

interface Found {
  apiVersion?: string
  kind: RemitKind
  metadata: { name: string }
  spec: Record<string, unknown>
}
const objects = (text: string) =>
  (loadAll(text) as Found[]).filter((object) => object?.apiVersion?.startsWith(`${GROUP}/`) && object.spec)
const snippets = (page: string) =>
  [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].flatMap(([, text]) => objects(text as string))

const problems = (object: Found) => {
  // The webhook stamps it; nobody writes it.
  const spec =
    object.kind === 'AgentIdentity'
      ? { createdBy: { username: 'x', at: '2026-01-01T00:00:00Z' }, ...object.spec }
      : object.spec
  const shape = validate(object.kind, { ...object, spec })
  if (shape.length) return shape
  if (object.kind === 'AgentPolicy') return checkPolicy(spec as PolicySpec)
  if (object.kind === 'ClusterAgentPolicy') return checkPolicy(spec as PolicySpec, 'Cluster')
  return object.kind === 'OwnerGroup' ? checkOwnerGroup(spec as unknown as OwnerGroup['spec']) : []
}

const pages = ['README.md', ...folder('docs/', '.md'), ...folder('docs/kinds/', '.md')]
const cases = [
  ...pages.flatMap((path) => snippets(read(path)).map((object) => [path, object] as const)),
  ...folder('test/fixtures/company/', '.yaml').flatMap((path) =>
    objects(read(path)).map((object) => [path, object] as const),
  ),
].map(([path, object]) => ({ path, kind: object.kind, name: object.metadata.name, object }))

describe('what the pages and the demo show', () => {
  test('is found', () => {
    expect(new Set(cases.map(({ kind }) => kind))).toEqual(
      new Set(['AgentIdentity', 'AgentPolicy', 'ClusterAgentPolicy', 'OwnerGroup']),
    )
    expect(cases.some(({ path }) => path === 'README.md')).toBe(true)
  })
  test.each(cases)('$path: $kind $name is accepted', ({ object }) => expect(problems(object)).toEqual([]))
})

describe('links between pages', () => {
  const links = [...pages, 'CONTRIBUTING.md', ...folder('docs/adr/', '.md')].flatMap((path) =>
    [...read(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, to]) => ({ path, to: to as string })),
  )
  test.each(links)('$path -> $to', ({ path, to }) => {
    expect(() => readFileSync(new URL(to, new URL(path, root)))).not.toThrow(/ENOENT/)
  })
})
