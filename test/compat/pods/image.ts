import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
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

/** An image that has Python, made from what pip installed on this machine. */
export interface PythonImage {
  /** Of the image: `remit.local/<name>:dev`. */
  name: string
  /** Folders of virtual environments, by the name of the folder below /app that their packages get. */
  environments: Record<string, string>
  /** Texts by their paths; all can be executed. */
  files: Record<string, string>
}

export const refOf = ({ name }: Pick<PythonImage, 'name'>): string => `remit.local/${name}:dev`

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

/** A root of Python, a shell, the packages of each environment by its name, the files, and a user that is not root. */
const writeRoot = async ({ environments, files }: PythonImage, root: string): Promise<void> => {
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
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text, { mode: 0o755 })
  }
  mkdirSync(join(root, 'bin'), { recursive: true })
  cpSync(realpathSync('/bin/sh'), join(root, 'bin/sh'))
  // By content, not by time: a layer's files have no times.
  const compile = ['-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', join(root, 'app'), library]
  await run('nice', [python, ...compile], { allowFailure: true })
  await copyLinked(
    [
      join(root, 'usr/bin/python3'),
      join(root, 'bin/sh'),
      ...sharedObjects(library),
      ...sharedObjects(join(root, 'app')),
    ],
    root,
  )
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/sbin/nologin\nnonroot:x:65532:65532::/tmp:/sbin/nologin\n')
  mkdirSync(join(root, 'tmp'))
  chmodSync(join(root, 'tmp'), 0o1777)
}

/** The image as an archive that a cluster's nodes take; made once for each content of it. */
export const ensurePythonImage = async (wanted: PythonImage, progress: Progress): Promise<string> => {
  const { name } = wanted
  const dir = join(toolsConfig().cacheDir, 'compat', 'images')
  const hash = createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 12)
  const file = join(dir, `${name}-${hash}.tar`)
  mkdirSync(dir, { recursive: true })
  return withLock(join(dir, 'lock'), async () => {
    if (existsSync(`${file}.json`)) return file
    return progress.step(`Build the image ${name}`, 60, async () => {
      const root = mkdtempSync(join(dir, 'root-'))
      try {
        await writeRoot(wanted, root)
        const config = {
          User: '65532:65532',
          WorkingDir: '/tmp',
          Env: ['PYTHONHOME=/usr', 'PYTHONDONTWRITEBYTECODE=1', 'HOME=/tmp', 'PATH=/usr/bin:/bin'],
          Entrypoint: ['/usr/bin/python3'],
        }
        const architecture = process.arch === 'x64' ? 'amd64' : process.arch
        const built = image([blob(tar(readTree(root, '/')))], config, architecture)
        for (const old of readdirSync(dir)) if (old.startsWith(`${name}-`)) rmSync(join(dir, old))
        writeFileSync(`${file}.new`, archive([{ ref: refOf(wanted), image: built }]))
        renameSync(`${file}.new`, file)
        const known = { name, ref: refOf(wanted), digest: built.digest, archive: file }
        writeFileSync(`${file}.json`, JSON.stringify([{ ...known, digestRef: `remit.local/${name}@${built.digest}` }]))
        return file
      } finally {
        rmSync(root, { recursive: true, force: true })
      }
    })
  })
}
