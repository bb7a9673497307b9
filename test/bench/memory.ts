/**
 * Memory of each part as it runs in the local cluster: proportional set size of its processes, found on this machine
 * by the command lines of the images. Exits with 1 when a part does not run or is over its bar.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { pss } from './support/pss.ts'

const PARTS = ['operator', 'webhook', 'ledger', 'sidecar'] as const
const SIDECAR_MIB = 96

const commandLine = (pid: number): string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
  } catch {
    return []
  }
}
const sizeOf = (pid: number): number[] => {
  try {
    return [pss(pid)]
  } catch (error) {
    // It ended between the listing and now.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

const commands = readdirSync('/proc')
  .filter((name) => /^\d+$/.test(name))
  .map((name) => ({ pid: Number(name), command: commandLine(Number(name)) }))
const found = PARTS.map((part) => ({
  part,
  sizes: commands
    .filter(({ command }) => command[0]?.endsWith('/node') && command.at(-1) === `/app/${part}.mjs`)
    .flatMap(({ pid }) => sizeOf(pid))
    .sort((a, b) => a - b),
}))

const missing = found.filter(({ sizes }) => !sizes.length).map(({ part }) => part)
for (const { part, sizes } of found) {
  if (!sizes.length) continue
  const [least = 0, most = 0] = [sizes[0], sizes.at(-1)]
  const range = sizes.length === 1 ? most.toFixed(0) : `${least.toFixed(0)} to ${most.toFixed(0)}`
  console.log(`${part.padEnd(10)} ${range} MiB (${sizes.length} process${sizes.length === 1 ? '' : 'es'})`)
  if (part === 'sidecar' && most >= SIDECAR_MIB) {
    console.log(`MISSED     under ${SIDECAR_MIB} MiB`)
    process.exitCode = 1
  }
}
if (missing.length) {
  console.log(`not running on this machine: ${missing.join(', ')}. \`npm run dev\` brings up a cluster with all parts.`)
  process.exitCode = 1
}
