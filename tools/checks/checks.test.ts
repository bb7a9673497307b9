import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { breaches } from './house.ts'
import { runAll } from './run.ts'

const root = join(import.meta.dirname, '../..')
const PARTS = ['operator', 'webhook', 'sidecar', 'ledger', 'cli']
const LIBS = ['lib/api', 'lib/core', 'lib/service', 'lib/kube']
const PROJECTS = [...LIBS, ...PARTS]

/** Who may import whom: parts -> lib/kube and lib/service -> lib/core -> lib/api, and the command line starts the gate. */
const ALLOWED: Record<string, string[]> = {
  'lib/api': [],
  'lib/core': ['lib/api'],
  'lib/service': ['lib/core', 'lib/api'],
  'lib/kube': ['lib/core', 'lib/api'],
  operator: LIBS,
  webhook: LIBS,
  ledger: LIBS,
  sidecar: ['lib/api', 'lib/core', 'lib/service'],
  cli: [...LIBS, 'sidecar'],
}
const pairs = PROJECTS.flatMap((from) => PROJECTS.filter((to) => to !== from).map((to) => ({ from, to })))
const probeOf = ({ from, to }: { from: string; to: string }) => `${from}/to-${to.replace('/', '-')}.ts`

describe('an import that points up or sideways', () => {
  let dir: string
  let complaints: string

  // The real project files around one empty module each, and one module for each import between two of them.
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'remit-imports-'))
    const base = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8'))
    base.compilerOptions.types = []
    writeFileSync(join(dir, 'tsconfig.base.json'), JSON.stringify(base))
    writeFileSync(join(dir, 'package.json'), '{"type": "module"}')
    for (const project of PROJECTS) {
      mkdirSync(join(dir, project), { recursive: true })
      cpSync(join(root, project, 'tsconfig.json'), join(dir, project, 'tsconfig.json'))
      writeFileSync(join(dir, project, 'index.ts'), 'export const value = 1\n')
    }
    const compile = () => {
      try {
        return execFileSync(join(root, 'node_modules/.bin/tsc'), ['-b', ...PROJECTS], { cwd: dir, encoding: 'utf8' })
      } catch (error) {
        return String((error as { stdout: string }).stdout)
      }
    }
    expect(compile()).toBe('')
    for (const pair of pairs) {
      const up = dirname(probeOf(pair)).replaceAll(/[^/]+/g, '..')
      writeFileSync(join(dir, probeOf(pair)), `export { value } from '${up}/${pair.to}/index.ts'\n`)
    }
    complaints = compile()
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  it.each(pairs)('$from -> $to', (pair) => {
    const refused = complaints.includes(`${probeOf(pair)}(`)
    expect(refused).toBe(!ALLOWED[pair.from]?.includes(pair.to))
  })
})

describe('rules of the house', () => {
  it.each([
    ['sidecar/a.ts', "import { KubeConfig } from '@kubernetes/client-node'", 'belongs to lib/kube'],
    ['ledger/a.ts', 'const port = process.env.PORT', 'only a config.ts does, given it by main.ts'],
    ['lib/core/a.ts', 'const now = Date.now()', 'lib/core is pure'],
    ['lib/core/a.ts', "import { createServer } from 'node:net'", 'lib/core is pure'],
    ['test/a.test.ts', "it.skip('x', () => {})", 'skips a test'],
    ['webhook/a.ts', '// TODO: later', 'leaves work for later'],
    ['cli/a.d.ts', 'export {}', 'a compiler wrote'],
  ])('finds it in %s: %s', (path, text, why) => {
    const [found, ...more] = breaches(path, `const a = 1\n${text}\n`)
    expect(found).toContain(why)
    expect(found).toMatch(path.endsWith('.d.ts') ? /:1 / : /:2 /)
    expect(more).toEqual([])
  })

  it.each([
    ['lib/kube/a.ts', "import { KubeConfig } from '@kubernetes/client-node'"],
    ['ledger/config.ts', 'const port = process.env.PORT'],
    ['ledger/main.ts', 'const config = readConfig(process.env)'],
    ['ledger/a.test.ts', 'const port = process.env.PORT'],
    ['lib/core/a.test.ts', 'const now = Date.now()'],
    ['lib/core/a.ts', "import { isIP } from 'node:net'"],
    ['operator/a.ts', 'const now = Date.now()'],
  ])('leaves alone %s: %s', (path, text) => {
    expect(breaches(path, text)).toEqual([])
  })
})

describe('runAll', () => {
  it('runs every check, tells of each, and shows what a failed one said', async () => {
    const heard: string[] = []
    const results = await runAll(
      [
        { name: 'good', command: [process.execPath, '-e', 'console.log("noise")'] },
        { name: 'bad', command: [process.execPath, '-e', 'console.error("why"); process.exit(3)'] },
        { name: 'missing', command: ['/nonexistent/program'] },
        { name: 'clean', find: () => [] },
        { name: 'dirty', find: () => ['a.ts:1 is dirty', 'b.ts:2 too'] },
      ],
      root,
      ({ name }) => heard.push(name),
    )
    expect(results).toEqual([
      { name: 'good', ok: true, output: '' },
      { name: 'bad', ok: false, output: 'why' },
      { name: 'missing', ok: false, output: expect.stringContaining('ENOENT') },
      { name: 'clean', ok: true, output: '' },
      { name: 'dirty', ok: false, output: 'a.ts:1 is dirty\nb.ts:2 too' },
    ])
    expect(heard).toEqual(['good', 'bad', 'missing', 'clean', 'dirty'])
  })
})
