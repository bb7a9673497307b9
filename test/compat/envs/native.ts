import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CannotSetUp } from '../../../tools/cluster/cluster.ts'
import { run } from '../../../tools/cluster/exec.ts'
import type { Progress } from '../../../tools/progress.ts'
import type { Command } from './command.ts'
import { ensureMade } from './made.ts'

const clients = join(import.meta.dirname, '../clients')

const needs = async (program: string, args: string[]): Promise<void> => {
  await run(program, args).catch(() => {
    throw new CannotSetUp(`${program} is needed to build a client; it is not on the PATH, or does not work.`)
  })
}

/** The client in Go, built from its module with the hashes of go.sum. */
export const goClient = async (progress: Progress): Promise<Command> => {
  const source = join(clients, 'go')
  const dir = await ensureMade(
    {
      name: 'go',
      files: ['go.mod', 'go.sum', 'main.go'].map((file) => join(source, file)),
      title: 'Building the client in Go',
      seconds: 30,
      make: async (target) => {
        await needs('go', ['version'])
        const env = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off' }
        const args = ['go', 'build', '-mod=readonly', '-o', join(target, 'client'), '.']
        await run('nice', args, { cwd: source, env })
      },
    },
    progress,
  )
  return { program: join(dir, 'client'), args: [] }
}

/** Our lock files name no addresses; Cargo wants where each package is from, which for all of them is the default. */
const withSources = (lock: string): string =>
  lock.replaceAll(/^(checksum = )/gm, 'source = "registry+https://github.com/rust-lang/crates.io-index"\n$1')

/** The client in Rust, built from its crate with the versions and checksums of Cargo.lock. */
export const rustClient = async (progress: Progress): Promise<Command> => {
  const source = join(clients, 'rust')
  const dir = await ensureMade(
    {
      name: 'rust',
      files: ['Cargo.toml', 'Cargo.lock', 'src/main.rs'].map((file) => join(source, file)),
      title: 'Building the client in Rust',
      seconds: 180,
      make: async (target) => {
        await needs('cargo', ['--version'])
        const work = join(target, 'work')
        cpSync(source, work, { recursive: true })
        writeFileSync(join(work, 'Cargo.lock'), withSources(readFileSync(join(source, 'Cargo.lock'), 'utf8')))
        await run('nice', ['cargo', 'build', '--locked', '--quiet'], { cwd: work })
        copyFileSync(join(work, 'target/debug/compat'), join(target, 'client'))
        rmSync(work, { recursive: true })
      },
    },
    progress,
  )
  return { program: join(dir, 'client'), args: [] }
}

/** The client in Java, compiled against the libraries that Maven fetches for it. */
export const javaClient = async (progress: Progress): Promise<Command> => {
  const source = join(clients, 'java')
  const dir = await ensureMade(
    {
      name: 'java',
      files: ['pom.xml', 'src/main/java/Main.java'].map((file) => join(source, file)),
      title: 'Building the client in Java',
      seconds: 60,
      make: async (target) => {
        await needs('mvn', ['--version'])
        cpSync(source, target, { recursive: true })
        const libraries = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib']
        await run('nice', ['mvn', '--quiet', '--batch-mode', ...libraries], { cwd: target })
        await run('nice', ['javac', '-cp', 'lib/*', '-d', 'classes', 'src/main/java/Main.java'], { cwd: target })
      },
    },
    progress,
  )
  const classes = [join(dir, 'classes'), join(dir, 'lib/*')].join(':')
  return { program: 'java', args: ['-XX:TieredStopAtLevel=1', '-cp', classes, 'Main'] }
}
