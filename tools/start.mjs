// Entry of every npm script. Plain JavaScript that runs on Node 20 with nothing installed: it makes sure that the
// dependencies are the lockfile's, finds the Node 24 among them, and hands over to tools/<command>.ts.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stampFile = join(root, 'node_modules', '.remit-lock-hash')

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

// The npm scripts are the list of commands: tools/ also holds modules that are none.
function commands() {
  const scripts = Object.values(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts)
  const names = scripts.map((script) => /^node tools\/start\.mjs (\S+)/.exec(script)?.[1])
  return [...new Set(names)].filter((name) => name && existsSync(join(root, 'tools', `${name}.ts`))).sort()
}

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
const stamp = () => (existsSync(stampFile) ? readFileSync(stampFile, 'utf8').trim() : '')
const node24 = () => join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
const upToDate = () => stamp() === lockHash() && existsSync(node24())

// npm keeps a copy of what it installed; when that matches, an installation made by hand needs no second one.
function adoptInstallation() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installed) || !existsSync(node24())) return false
  const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages
  const differs = Object.entries(want).some(([path, entry]) => {
    if (path === '' || (entry.optional && !have[path])) return false
    return have[path]?.version !== entry.version
  })
  if (differs) return false
  writeFileSync(stampFile, lockHash())
  return true
}

// Exits for good: runs in a process of its own below `flock`, so that two starts never install at once.
function install() {
  if (upToDate() || adoptInstallation()) return
  process.stderr.write('Installing npm dependencies (usually 30 s) ...\n')
  const started = Date.now()
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (npm.error) fail(`npm could not be started: ${npm.error.message}. Install npm 9 or newer.`)
  if (npm.status !== 0) fail('npm ci failed; what it said is above.')
  if (!existsSync(node24())) {
    fail(
      `npm ci left no Node 24 for ${process.arch} in node_modules. Remove node_modules and try again without --omit=optional.`,
    )
  }
  writeFileSync(stampFile, lockHash())
  process.stderr.write(`Installing npm dependencies: done in ${Math.round((Date.now() - started) / 1000)} s\n`)
}

const [command, ...args] = process.argv.slice(2)

if (process.platform !== 'linux')
  fail(`Remit's tools run on Linux; this is ${process.platform}. Use a Linux machine, VM or container.`)
if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node 20 or newer is needed to start; this is ${process.version}.`)
if (!['x64', 'arm64'].includes(process.arch)) fail(`Remit's tools run on x64 and arm64; this is ${process.arch}.`)

if (command === '--install') {
  install()
  process.exit(0)
}
if (!command || !commands().includes(command)) {
  fail(`${command ? `Unknown command "${command}".` : 'No command given.'} There is: ${commands().join(', ')}.`)
}

if (!upToDate()) {
  const lockDir = join(root, '.cache')
  mkdirSync(lockDir, { recursive: true })
  const self = fileURLToPath(import.meta.url)
  const result = spawnSync('flock', [join(lockDir, 'install.lock'), process.execPath, self, '--install'], {
    stdio: 'inherit',
  })
  if (result.error) fail(`flock (util-linux) is needed: ${result.error.message}`)
  if (result.status !== 0) process.exit(result.status ?? 1)
}

// The child gets SIGTERM when we die, however we die, so an abandoned run does not go on behind anyone's back.
const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', node24(), join(root, 'tools', `${command}.ts`), ...args], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(node24())}:${join(root, 'node_modules', '.bin')}:${process.env.PATH}` },
})
child.on('error', (error) => fail(`setpriv (util-linux) is needed: ${error.message}`))
// A terminal sends SIGINT to the whole group, the child included; passing it on would make it two.
process.on('SIGINT', () => {})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)))
