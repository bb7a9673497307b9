import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { build } from '../../tools/build/bundles.ts'

const policy = (max: string) => `apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: billing}
spec:
  tools:
  - {name: refunds, match: {servers: [billing], tools: [refund]}, effect: Allow, where: [{arg: amount, min: "0", max: "${max}"}]}
`
let dir: string
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'remit-diff-'))
  await build(['kubectl-remit', 'z3/solver.cjs'], join(dir, 'dist'))
  mkdirSync(join(dir, 'lone'))
  for (const file of ['kubectl-remit', 'package.json']) cpSync(join(dir, 'dist', file), join(dir, 'lone', file))
  writeFileSync(join(dir, 'old.yaml'), policy('50'))
  writeFileSync(join(dir, 'new.yaml'), policy('100'))
  writeFileSync(join(dir, 'bad.yaml'), policy('many'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const diff = (where: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(dir, where, 'kubectl-remit'), 'policy', 'diff', ...args], {
    cwd: dir,
    encoding: 'utf8',
    timeout: 60_000,
  })

test('the bundle shows what is wider, and its exit code says so', () => {
  const { status, stdout } = diff('dist', 'old.yaml', 'new.yaml', '-o', 'json')
  expect(JSON.parse(stdout)).toMatchObject({
    verdict: 'wider',
    examples: [
      {
        server: 'billing',
        tool: 'refund',
        arguments: { amount: 51 },
        old: { effect: 'Deny' },
        new: { effect: 'Allow' },
      },
    ],
  })
  expect(status).toBe(1)
  expect(diff('dist', 'new.yaml', 'old.yaml')).toMatchObject({ status: 0, stdout: 'no wider\n' })
})

test('the bundle shows what may newly be read', () => {
  const resources = (uris: string) => `apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: docs}
spec:
  resources:
  - {name: handbook, match: {servers: [docs], uris: ["${uris}"]}, effect: Allow}
`
  writeFileSync(join(dir, 'narrow.yaml'), resources('file:///handbook/*'))
  writeFileSync(join(dir, 'wide.yaml'), resources('*.md'))
  const { status, stdout } = diff('dist', 'narrow.yaml', 'wide.yaml', '-o', 'json')
  expect(JSON.parse(stdout)).toMatchObject({
    verdict: 'wider',
    examples: [
      { server: 'docs', resource: expect.stringMatching(/\.md$/), new: { effect: 'Allow', rule: 'handbook' } },
    ],
  })
  expect(status).toBe(1)
})

test('a refused policy is not taken for a wider one', () => {
  const { status, stderr } = diff('dist', 'old.yaml', 'bad.yaml')
  expect(status).toBe(2)
  expect(stderr).toContain('max')
})

test('without the solver it says what to do', () => {
  const { status, stderr } = diff('lone', 'old.yaml', 'new.yaml')
  expect(status).toBe(2)
  expect(stderr).toContain('keep the folder z3')
})
