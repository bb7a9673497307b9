import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
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

/** Writes `everything/`: the unmodified MCP test server and the packages that it depends on, as npm resolved them. */
export async function writeEverythingRoot(dir: string): Promise<void> {
  rmSync(dir, { recursive: true, force: true })
  const listed = await read('npm', ['ls', '@modelcontextprotocol/server-everything', '--all', '--json', '--long'], {
    cwd: repoRoot,
    allowFailure: true,
  })
  const paths = new Set<string>()
  type Tree = { path?: string; dependencies?: Record<string, Tree> }
  const walk = (node: Tree, inside: boolean) => {
    for (const [name, child] of Object.entries(node.dependencies ?? {})) {
      const within = inside || name === '@modelcontextprotocol/server-everything'
      if (within && child.path) paths.add(child.path)
      walk(child, within)
    }
  }
  walk(JSON.parse(listed), false)
  for (const path of paths) {
    if (existsSync(path))
      cpSync(path, join(dir, path.slice(repoRoot.length + 1)), { recursive: true, dereference: false })
  }
}
