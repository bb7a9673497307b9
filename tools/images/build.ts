import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build, bundleTable } from '../build/bundles.ts'
import { ensureBinaries } from '../cluster/binaries.ts'
import { repoRoot, toolsConfig } from '../cluster/config.ts'
import { withLock } from '../cluster/lock.ts'
import { type Progress, silentProgress } from '../progress.ts'
import { nodeBinary, writeCollectorRoot, writeEverythingRoot, writeNodeRoot, writePauseRoot } from './context.ts'
import { parseDockerfile, type Stage } from './dockerfile.ts'
import { archive, type Blob, blob, image, type LayerEntry, readTree, tar } from './oci.ts'

/** A built image: `ref` by tag, `digestRef` by content, and the archive that holds it (shared by all of one build). */
export type Image = { name: string; ref: string; digestRef: string; digest: string; archive: string }

const indexFile = (archive: string) => `${archive}.json`

/** What is in an archive that `buildImages` wrote. */
export function archivedImages(archive: string): Image[] {
  return JSON.parse(readFileSync(indexFile(archive), 'utf8')) as Image[]
}

/** The names of all images: the stages of the Dockerfile that start something. */
export function imageNames(): string[] {
  return stages()
    .filter((stage) => stage.config.Entrypoint)
    .map((stage) => stage.name)
}

/**
 * The images whose code exists. A part without its main.ts has no image yet, and the tests' collector is left out: Go
 * takes minutes to build it.
 */
export function buildableImages(): string[] {
  const bundles = new Set(bundleTable().map((bundle) => bundle.output))
  return imageNames().filter((name) =>
    stage(name).copies.every(
      ({ from }) => from !== 'otelcol/' && (!from.startsWith('dist/') || bundles.has(from.slice('dist/'.length))),
    ),
  )
}

const dockerfile = join(repoRoot, 'tools/images/Dockerfile')
const stages = () => parseDockerfile(readFileSync(dockerfile, 'utf8'))

function stage(name: string): Stage {
  const found = stages().find((candidate) => candidate.name === name)
  if (!found) throw new Error(`There is no image "${name}". There is: ${imageNames().join(', ')}.`)
  return found
}

/** The folder that the Dockerfile's COPY instructions are relative to. */
export const contextDir = (cacheDir: string) => join(cacheDir, 'images', 'context')

/** Brings the build context up to date for the named images: bundles are made new, the base only when it changed. */
export async function ensureContext(names: readonly string[], progress: Progress = silentProgress): Promise<string> {
  const { cacheDir } = toolsConfig()
  const dir = contextDir(cacheDir)
  mkdirSync(dir, { recursive: true })
  const copies = names.flatMap((name) => chain(stage(name))).flatMap((one) => one.copies.map(({ from }) => from))
  const once = async (folder: string, key: string, write: (path: string) => Promise<void> | void) => {
    if (!copies.includes(`${folder}/`)) return
    const stamp = join(dir, `${folder}.stamp`)
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return
    await progress.step(`Prepare the image content ${folder}`, 3, async () => {
      await write(join(dir, folder))
      writeFileSync(stamp, key)
    })
  }
  const fileKey = (path: string) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`
  await once('node', fileKey(nodeBinary), writeNodeRoot)
  if (copies.includes('pause/')) await once('pause', fileKey('/bin/busybox'), writePauseRoot)
  await once(
    'everything',
    createHash('sha256')
      .update(readFileSync(join(repoRoot, 'package-lock.json')))
      .digest('hex'),
    writeEverythingRoot,
  )
  if (copies.includes('otelcol/')) {
    const { otelcol } = await ensureBinaries(['otelcol'], progress)
    await once('otelcol', otelcol, (path) => writeCollectorRoot(path, otelcol))
  }
  const bundles = copies.filter((from) => from.startsWith('dist/')).map((from) => from.slice('dist/'.length))
  if (bundles.length > 0) await build(bundles, join(dir, 'dist'))
  return dir
}

// An archive is 150 MB, and every change of code makes one. The last few stay for whoever is still loading one.
function removeOldArchives(dir: string): void {
  const archives = readdirSync(dir)
    .filter((name) => name.endsWith('.tar'))
    .map((name) => ({ file: join(dir, name), time: statSync(join(dir, name)).mtimeMs }))
    .sort((a, b) => b.time - a.time)
  for (const { file } of archives.slice(6)) {
    rmSync(file, { force: true })
    rmSync(indexFile(file), { force: true })
  }
}

// From the base to the stage itself.
function chain(last: Stage): Stage[] {
  return last.from === 'scratch' ? [last] : [...chain(stage(last.from)), last]
}

function layerOf(one: Stage, context: string): Blob {
  const entries = one.copies.flatMap(({ from, to }): LayerEntry[] => {
    const path = join(context, from)
    if (from.endsWith('/')) return readTree(path, to)
    return [{ path: to, kind: 'file', mode: 0o755, data: readFileSync(path) }]
  })
  return blob(tar(entries))
}

/**
 * Builds images from the Dockerfile without Docker or root, all in one archive, and returns how to name them.
 * Equal content gives an equal digest, on every machine with the same Node and libraries.
 */
export async function buildImages(names: readonly string[], progress: Progress = silentProgress): Promise<Image[]> {
  const { cacheDir } = toolsConfig()
  return withLock(join(cacheDir, 'locks', 'images'), async () => {
    const context = await ensureContext(names, progress)
    return progress.step(`Build the images ${names.join(', ')}`, 3, async () => {
      const layers = new Map<string, Blob>()
      const architecture = process.arch === 'x64' ? 'amd64' : process.arch
      const built = names.map((name) => {
        const wanted = stage(name)
        const parts = chain(wanted).map((one) => {
          const layer = layers.get(one.name) ?? layerOf(one, context)
          layers.set(one.name, layer)
          return layer
        })
        return {
          name,
          ref: `remit.local/${name}:${name === 'pause' ? '1' : 'dev'}`,
          image: image(parts, wanted.config, architecture),
        }
      })
      const key = createHash('sha256')
        .update(built.map(({ ref, image }) => ref + image.digest).join())
        .digest('hex')
        .slice(0, 16)
      const file = join(cacheDir, 'images', `${key}.tar`)
      const result: Image[] = built.map(({ name, ref, image }) => ({
        name,
        ref,
        digest: image.digest,
        digestRef: `remit.local/${name}@${image.digest}`,
        archive: file,
      }))
      if (!existsSync(file) || !existsSync(indexFile(file))) {
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(`${file}.new`, archive(built))
        writeFileSync(indexFile(file), JSON.stringify(result))
        renameSync(`${file}.new`, file)
        removeOldArchives(dirname(file))
      }
      return result
    })
  })
}
