import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { repoRoot } from '../cluster/config.ts'
import { read } from '../cluster/exec.ts'

/** The Node 24 of our npm dependencies. */
export const nodeBinary = join(repoRoot, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')

function put(root: string, from: string, to: string, mode: number): void {
  const target = join(root, to)
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(realpathSync(from), target)
  chmodSync(target, mode)
}

/** Writes `node/`: the Node binary, exactly the shared libraries it is linked with, and a user that is not root. */
export async function writeNodeRoot(dir: string): Promise<void> {
  rmSync(dir, { recursive: true, force: true })
  put(dir, nodeBinary, '/usr/bin/node', 0o755)
  const linked = await read('ldd', [nodeBinary])
  for (const [, path] of linked.matchAll(/(?:=> )?(\/\S+) \(0x/g)) put(dir, path!, path!, 0o755)
  mkdirSync(join(dir, 'etc'), { recursive: true })
  writeFileSync(join(dir, 'etc/passwd'), 'root:x:0:0::/:/sbin/nologin\nnonroot:x:65532:65532::/app:/sbin/nologin\n', {
    mode: 0o644,
  })
  writeFileSync(join(dir, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n', { mode: 0o644 })
  for (const name of ['app', 'tmp']) mkdirSync(join(dir, name), { recursive: true })
  chmodSync(join(dir, 'tmp'), 0o1777)
}

/** Writes `pause/`: Debian's static busybox, and links for the commands that the canary and tests use. */
export function writePauseRoot(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
  put(dir, '/bin/busybox', '/bin/busybox', 0o755)
  for (const name of ['sh', 'sleep', 'nc', 'httpd', 'cat', 'true']) symlinkSync('busybox', join(dir, 'bin', name))
  mkdirSync(join(dir, 'tmp'))
  chmodSync(join(dir, 'tmp'), 0o1777)
}

/** Writes `otelcol/`: the collector, statically linked. */
export function writeCollectorRoot(dir: string, program: string): void {
  rmSync(dir, { recursive: true, force: true })
  put(dir, program, '/usr/bin/otelcol', 0o755)
}

/** Folders of a package and of everything it depends on, as Node resolves them from where npm put them. Pure but for reading package.json files. */
function packageFolders(name: string, from: string, found = new Set<string>()): Set<string> {
  let at = from
  while (!existsSync(join(at, 'node_modules', name, 'package.json'))) {
    // An optional or peer dependency that npm left out.
    if (at === repoRoot || at === '/') return found
    at = dirname(at)
  }
  const folder = join(at, 'node_modules', name)
  if (found.has(folder)) return found
  found.add(folder)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const wanted = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies }
  for (const dependency of Object.keys(wanted)) packageFolders(dependency, folder, found)
  return found
}

/** Writes `everything/`: the unmodified MCP test server and the packages that it depends on, where npm put them. */
export function writeEverythingRoot(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
  for (const folder of packageFolders('@modelcontextprotocol/server-everything', repoRoot)) {
    const nested = join(folder, 'node_modules')
    cpSync(folder, join(dir, folder.slice(repoRoot.length + 1)), {
      recursive: true,
      filter: (path) => !path.startsWith(nested),
    })
  }
}
