import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Progress, silentProgress } from '../progress.ts'
import { repoRoot, toolsConfig } from './config.ts'
import { read, run } from './exec.ts'
import { withLock } from './lock.ts'
import { type BinaryName, type Recipe, recipes } from './recipes.ts'

const moduleDir = (recipe: Recipe) => join(repoRoot, 'tools/cluster/go', recipe.module)

/** Where a program lives in the cache. The hash covers the recipe and every pinned dependency, so a change is a new entry. */
export function binaryPath(name: BinaryName, cacheDir: string): string {
  const recipe: Recipe = recipes[name]
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum', recipe.generated?.manifest ?? 'tools.go'])
    hash.update(readFileSync(join(moduleDir(recipe), file)))
  if (recipe.generated) hash.update(binaryPath(recipe.generated.by, ''))
  hash.update(JSON.stringify({ ...recipe, seconds: 0, arch: process.arch }))
  return join(cacheDir, 'bin', `${name}-${recipe.version}-${hash.digest('hex').slice(0, 12)}`, name)
}

/** The programs of `names` that are not in the cache yet. */
export function missingBinaries(names: readonly BinaryName[], cacheDir = toolsConfig().cacheDir): BinaryName[] {
  return names.filter((name) => !existsSync(binaryPath(name, cacheDir)))
}

/**
 * Makes sure that the named programs are built and returns the path of each.
 * Builds are shared between processes by a lock, and published by rename: what exists is complete.
 */
export async function ensureBinaries<N extends BinaryName>(
  names: readonly N[],
  progress: Progress = silentProgress,
  cacheDir = toolsConfig().cacheDir,
): Promise<Record<N, string>> {
  if (missingBinaries(names, cacheDir).length > 0) {
    const order = Object.keys(recipes) as BinaryName[]
    const wanted = order.filter((name) => (names as readonly BinaryName[]).includes(name))
    for (const name of wanted) {
      if (existsSync(binaryPath(name, cacheDir))) continue
      const recipe: Recipe = recipes[name]
      if (recipe.generated) await ensureBinaries([recipe.generated.by], progress, cacheDir)
      await progress.step(`Build ${name} ${recipe.version}`, recipe.seconds, (say) =>
        withLock(
          join(cacheDir, 'locks', `build-${recipe.module}`),
          () => build(name, recipe, cacheDir, say),
          () => say('another process is building; waiting for it'),
        ),
      )
    }
  }
  return Object.fromEntries(names.map((name) => [name, binaryPath(name, cacheDir)])) as Record<N, string>
}

async function build(name: BinaryName, recipe: Recipe, cacheDir: string, say: (line: string) => void): Promise<void> {
  const target = join(binaryPath(name, cacheDir), '..')
  if (existsSync(join(target, name))) return
  mkdirSync(join(cacheDir, 'tmp'), { recursive: true })
  const work = mkdtempSync(join(cacheDir, 'tmp', `${name}-`))
  try {
    const env = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off' }
    const sources = recipe.generated ? await generate(recipe, recipe.generated, cacheDir, work) : moduleDir(recipe)
    // Where generated sources lie differs from build to build; the program must not.
    const flags = [...(recipe.tags ? ['-tags', recipe.tags] : []), ...(recipe.generated ? ['-trimpath'] : [])]
    const args = ['build', '-mod=readonly', ...flags, '-ldflags', recipe.ldflags, '-o', join(work, name), recipe.pkg]
    // Whoever works on this machine meanwhile goes first.
    await run('nice', ['-n', '10', 'go', ...args], { cwd: sources, env, onLine: say })
    if (recipe.generated) rmSync(sources, { recursive: true })
    if (recipe.data) {
      const dir = await read('go', ['list', '-m', '-f', '{{.Dir}}', recipe.data.from], { cwd: moduleDir(recipe), env })
      cpSync(join(dir, recipe.data.folder), join(work, recipe.data.to), { recursive: true })
      // The module cache is read-only; a cache entry must be removable by its owner.
      await run('chmod', ['-R', 'u+w', join(work, recipe.data.to)])
    }
    mkdirSync(join(cacheDir, 'bin'), { recursive: true })
    rmSync(target, { recursive: true, force: true })
    renameSync(work, target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Has the program's own builder write its main package, beside the dependencies that we pinned, and returns where. */
async function generate(
  recipe: Recipe,
  { by, manifest }: NonNullable<Recipe['generated']>,
  cacheDir: string,
  work: string,
): Promise<string> {
  const config = join(moduleDir(recipe), manifest)
  // The manifest names the folder `src`, relative to where the builder runs.
  await run(binaryPath(by, cacheDir), ['--skip-get-modules', '--skip-compilation', '--config', config], { cwd: work })
  const sources = join(work, 'src')
  for (const file of ['go.mod', 'go.sum']) cpSync(join(moduleDir(recipe), file), join(sources, file))
  return sources
}
