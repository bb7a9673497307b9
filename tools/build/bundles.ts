import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type BuildOptions, build as bundle } from 'esbuild'
import { repoRoot } from '../cluster/config.ts'

/** One bundle: `output` below dist/, made from `entry` for at least Node `target`. */
export type Bundle = { output: string; entry: string; target: string; format: 'esm' | 'cjs' }

const all: Bundle[] = [
  { output: 'operator.mjs', entry: 'operator/main.ts', target: 'node24', format: 'esm' },
  { output: 'webhook.mjs', entry: 'webhook/main.ts', target: 'node24', format: 'esm' },
  { output: 'ledger.mjs', entry: 'ledger/main.ts', target: 'node24', format: 'esm' },
  { output: 'sidecar.mjs', entry: 'sidecar/main.ts', target: 'node20', format: 'esm' },
  // kubectl wants a plugin without an extension, and Node takes such a file for CommonJS.
  { output: 'kubectl-remit', entry: 'cli/main.ts', target: 'node20', format: 'cjs' },
  { output: 'remit-bridge', entry: 'bridge/main.ts', target: 'node20', format: 'cjs' },
  // The solver of `policy diff`, a program of its own beside z3; see cli/diff/solver.
  { output: 'z3/solver.cjs', entry: 'cli/diff/solver/child.ts', target: 'node20', format: 'cjs' },
  { output: 'demo-billing.mjs', entry: 'test/fixtures/servers/billing/main.ts', target: 'node24', format: 'esm' },
  { output: 'demo-agent.mjs', entry: 'test/fixtures/agent/main.ts', target: 'node24', format: 'esm' },
  { output: 'demo-desk.mjs', entry: 'test/compat/server/main.ts', target: 'node24', format: 'esm' },
]

/** The bundles whose code exists. */
export function bundleTable(): Bundle[] {
  return all.filter((bundle) => existsSync(join(repoRoot, bundle.entry)))
}

function options(bundle: Bundle, file: string): BuildOptions {
  const shebang = bundle.output.includes('.') ? '' : '#!/usr/bin/env node\n'
  // Dependencies in CommonJS call require for Node's own modules, which an ES module does not have.
  const prologue =
    bundle.format === 'esm'
      ? "import { createRequire as remitCreateRequire } from 'node:module'; const require = remitCreateRequire(import.meta.url);"
      : "const remitModuleUrl = require('node:url').pathToFileURL(__filename).href;"
  return {
    entryPoints: [join(repoRoot, bundle.entry)],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: bundle.format,
    target: bundle.target,
    // Whitespace and names stay: Node prints the line that threw, and a person reads it at night.
    minifySyntax: true,
    legalComments: 'none',
    alias: { undici: join(repoRoot, 'tools/build/no-undici.ts') },
    logLevel: 'silent',
    banner: { js: `${shebang}${prologue}` },
    ...(bundle.format === 'cjs' ? { define: { 'import.meta.url': 'remitModuleUrl' } } : {}),
  }
}

/** z3 goes along as its package has it: 35 MB of WebAssembly that no bundle needs but the one program beside it. */
function shipZ3(dir: string): void {
  const from = dirname(createRequire(import.meta.url).resolve('z3-solver/build/z3-built.js'))
  for (const [file, as] of [
    ['z3-built.js', 'z3-built.js'],
    ['z3-built.wasm', 'z3-built.wasm'],
    ['../LICENSE.txt', 'LICENSE.txt'],
  ] as const)
    copyFileSync(join(from, file), join(dir, as))
}

/** Builds the named bundles (all that exist when none is named) into `dir` and returns file and size in bytes of each. */
export async function build(
  names: readonly string[] = bundleTable().map((bundle) => bundle.output),
  dir = join(repoRoot, 'dist'),
): Promise<{ output: string; file: string; bytes: number }[]> {
  mkdirSync(dir, { recursive: true })
  // Below this repository a file without an extension would be taken for a module.
  writeFileSync(join(dir, 'package.json'), '{"type":"commonjs"}\n')
  return Promise.all(
    [...new Set(names)].map(async (name) => {
      const wanted = bundleTable().find((candidate) => candidate.output === name)
      if (!wanted)
        throw new Error(
          `There is no bundle "${name}" yet: ${all.find((b) => b.output === name)?.entry ?? 'it is not in the table'} is missing.`,
        )
      const file = join(dir, name)
      const result = await bundle({ ...options(wanted, file), write: false })
      const output = result.outputFiles[0]!
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, output.contents)
      chmodSync(file, 0o755)
      if (name === 'z3/solver.cjs') shipZ3(dirname(file))
      return { output: name, file, bytes: output.contents.length }
    }),
  )
}
