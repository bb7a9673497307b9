import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Puts a file in its place at once, so that whoever starts it never has half of it. */
const place = (to: string, write: (path: string) => void): string => {
  const fresh = `${to}.new`
  write(fresh)
  chmodSync(fresh, 0o755)
  renameSync(fresh, to)
  return to
}

/** The shared libraries that this process runs with, its loader among them. */
const libraries = (): string[] => {
  const mapped = readFileSync('/proc/self/maps', 'utf8').matchAll(/ (\/\S*\/(?:lib[^/\s]*|ld-[^/\s]*)\.so[^/\s]*)$/gm)
  return [...new Set([...mapped].map(([, path]) => path!))]
}

/**
 * Copies this Node, the libraries that it runs with and this program to `dir`, with a script `remit-bridge` that starts
 * them; returns the paths. Because loader and libraries come along, it also runs where there is another libc or none.
 */
export const install = (options: { dir: string; program: string }): string[] => {
  const { dir } = options
  const lib = join(dir, 'lib')
  mkdirSync(lib, { recursive: true })
  const copy = (from: string, to: string) => place(to, (path) => copyFileSync(from, path))
  // The loader looks for libstdc++.so.6, which is mapped under the name of the file that this leads to.
  const copied = libraries().map((path) => copy(path, join(lib, basename(path).replace(/(\.so\.\d+)\..*$/, '$1'))))
  const loader = copied.find((path) => basename(path).startsWith('ld-'))
  const node = copy(process.execPath, join(dir, 'node'))
  const program = copy(options.program, join(dir, 'remit-bridge.cjs'))
  // From where it lies, because the server's container may see the folder under another path.
  const start = loader ? `"$dir/lib/${basename(loader)}" --library-path "$dir/lib" "$dir/node"` : '"$dir/node"'
  const script = place(join(dir, 'remit-bridge'), (path) =>
    writeFileSync(path, `#!/bin/sh\ndir=\${0%/*}\nexec ${start} "$dir/remit-bridge.cjs" "$@"\n`),
  )
  return [...copied, node, program, script]
}
