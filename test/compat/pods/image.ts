import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { toolsConfig } from '../../../tools/cluster/config.ts'
import { read, run } from '../../../tools/cluster/exec.ts'
import { withLock } from '../../../tools/cluster/lock.ts'
import { archive, blob, image, readTree, tar } from '../../../tools/images/oci.ts'
import type { Progress } from '../../../tools/progress.ts'

const NAME = 'compat-python'
export const IMAGE = `remit.local/${NAME}:dev`

const scripts = join(import.meta.dirname, '../clients/python')
/** Of Python's own library: what no agent needs, and what belongs to this machine. */
const LEFT_OUT = new Set(['site-packages', 'dist-packages', 'test', 'idlelib', 'tkinter', 'ensurepip', '__pycache__'])
const isWanted = (path: string) => !LEFT_OUT.has(basename(path)) && !basename(path).startsWith('config-')

const sharedObjects = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.so(\.|$)/.test(name))
    .map((name) => join(dir, name))

/** What these programs and libraries are linked with, each where the linker looks for it. */
const copyLinked = async (files: string[], root: string): Promise<void> => {
  const { stdout } = await run('ldd', files, { allowFailure: true })
  const found = new Set([...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path!))
  for (const path of found) {
    if (path.startsWith(root)) continue
    const target = join(root, path)
    mkdirSync(dirname(target), { recursive: true })
    cpSync(realpathSync(path), target)
    chmodSync(target, 0o755)
  }
}

/** A root of Python, the packages of each environment by its name, the clients' scripts, and a user that is not root. */
const writeRoot = async (environments: Record<string, string>, root: string): Promise<void> => {
  const python = join(Object.values(environments)[0]!, 'bin', 'python')
  const ask = (what: string) => read(python, ['-c', `import sysconfig, sys; print(${what})`])
  const version = await ask('"python%d.%d" % sys.version_info[:2]')
  const library = join(root, 'usr/lib', version)
  mkdirSync(join(root, 'usr/bin'), { recursive: true })
  cpSync(realpathSync(python), join(root, 'usr/bin/python3'))
  chmodSync(join(root, 'usr/bin/python3'), 0o755)
  cpSync(await ask('sysconfig.get_path("stdlib")'), library, { recursive: true, dereference: true, filter: isWanted })
  for (const [name, venv] of Object.entries(environments))
    cpSync(join(venv, 'lib', version, 'site-packages'), join(root, 'app', name), {
      recursive: true,
      filter: (path) => basename(path) !== '__pycache__' && !/\/site-packages\/(pip|setuptools)($|[-/])/.test(path),
    })
  cpSync(scripts, join(root, 'app/clients'), { recursive: true, filter: (path) => basename(path) !== '__pycache__' })
  // By content, not by time: a layer's files have no times.
  const compile = ['-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', join(root, 'app'), library]
  await run('nice', [python, ...compile], { allowFailure: true })
  await copyLinked(
    [join(root, 'usr/bin/python3'), ...sharedObjects(library), ...sharedObjects(join(root, 'app'))],
    root,
  )
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/sbin/nologin\nnonroot:x:65532:65532::/tmp:/sbin/nologin\n')
  mkdirSync(join(root, 'tmp'))
  chmodSync(join(root, 'tmp'), 0o1777)
}

const hashOf = (environments: Record<string, string>): string => {
  const hash = createHash('sha256').update(JSON.stringify(environments))
  for (const name of readdirSync(scripts)
    .filter((file) => file.endsWith('.py'))
    .sort())
    hash.update(name).update(readFileSync(join(scripts, name)))
  return hash.digest('hex').slice(0, 12)
}

/**
 * The image of the Python agents, as an archive that a cluster's nodes take; made once for each environment and script.
 * @param environments folders of virtual environments by the name of the folder below /app that their packages get
 */
export const ensurePythonImage = async (environments: Record<string, string>, progress: Progress): Promise<string> => {
  const dir = join(toolsConfig().cacheDir, 'compat', 'images')
  const file = join(dir, `${hashOf(environments)}.tar`)
  mkdirSync(dir, { recursive: true })
  return withLock(join(dir, 'lock'), async () => {
    if (existsSync(`${file}.json`)) return file
    return progress.step('Build the image of the Python agents', 60, async () => {
      const root = mkdtempSync(join(dir, 'root-'))
      try {
        await writeRoot(environments, root)
        const config = {
          User: '65532:65532',
          WorkingDir: '/tmp',
          Env: ['PYTHONHOME=/usr', 'PYTHONDONTWRITEBYTECODE=1', 'HOME=/tmp', 'PATH=/usr/bin'],
          Entrypoint: ['/usr/bin/python3'],
        }
        const architecture = process.arch === 'x64' ? 'amd64' : process.arch
        const built = image([blob(tar(readTree(root, '/')))], config, architecture)
        for (const old of readdirSync(dir)) if (/\.tar(\.json)?$/.test(old)) rmSync(join(dir, old))
        writeFileSync(`${file}.new`, archive([{ ref: IMAGE, image: built }]))
        renameSync(`${file}.new`, file)
        const known = { name: NAME, ref: IMAGE, digest: built.digest, archive: file }
        writeFileSync(`${file}.json`, JSON.stringify([{ ...known, digestRef: `remit.local/${NAME}@${built.digest}` }]))
        return file
      } finally {
        rmSync(root, { recursive: true, force: true })
      }
    })
  })
}
