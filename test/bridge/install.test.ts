import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VERSION } from '../../lib/api/version.ts'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { type ManagedProcess, startProcess } from '../harness/process.ts'
import { bundled, callModern, FIXTURE, textOf } from './bridge.ts'

/** Processes of the machine whose command line has this in it. */
const running = (part: string): number =>
  execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(part) && !line.startsWith('ps ')).length

describe('remit-bridge install', () => {
  const root = mkdtempSync(join(tmpdir(), 'remit-bridge-root-'))
  let child: ManagedProcess | undefined
  afterAll(async () => {
    await child?.stop()
    rmSync(root, { recursive: true, force: true })
  })
  beforeAll(async () => {
    for (const dir of ['bin', 'proc', 'tmp']) mkdirSync(join(root, dir))
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
    execFileSync('chmod', ['755', join(root, 'bin/busybox')])
    for (const name of ['sh', 'mount']) symlinkSync('busybox', join(root, 'bin', name))
    copyFileSync(FIXTURE[1]!, join(root, 'fixture-of-the-image.ts'))
    // With the Node of our images, which also runs the fixture.
    execFileSync(process.execPath, [await bundled(), 'install', join(root, 'remit')])
  })

  it('puts there what an image without Node and without a libc needs', () => {
    const version = execFileSync('/usr/sbin/chroot', [root, '/remit/remit-bridge', '--version'], { encoding: 'utf8' })
    expect(version.trim()).toBe(VERSION)
  })

  it('does it again over what is there', async () => {
    const before = readFileSync(join(root, 'remit/remit-bridge'), 'utf8')
    execFileSync(process.execPath, [await bundled(), 'install', join(root, 'remit')])
    expect(readFileSync(join(root, 'remit/remit-bridge'), 'utf8')).toBe(before)
  })

  it('serves as process 1 of a container, without a watchdog, and takes everything with it', async () => {
    const [port = 0] = await freePorts(1)
    const node = '/remit/lib/ld-linux-x86-64.so.2 --library-path /remit/lib /remit/node'
    const loader = process.arch === 'x64' ? node : node.replace('ld-linux-x86-64.so.2', 'ld-linux-aarch64.so.1')
    const serve = `mount -t proc proc /proc; exec /remit/remit-bridge --port ${port} -- ${loader} /fixture-of-the-image.ts`
    child = await startProcess({
      command: 'unshare',
      args: ['--mount', '--pid', '--fork', '--kill-child', 'chroot', root, '/bin/sh', '-c', serve],
      logFile: join(root, 'log'),
      removeOnOrphan: root,
    })
    const url = `http://127.0.0.1:${port}`
    await eventually(async () => (await fetch(`${url}/healthz`)).status === 200, { timeoutMs: 20_000 })
    expect(textOf(await callModern(`${url}/mcp`, 'echo', { text: 'from inside' }))).toBe('from inside')
    expect(running('remit-bridge.cjs watchdog')).toBe(0)
    expect(running('/remit/node /fixture-of-the-image.ts')).toBeGreaterThan(0)
    child.signal('SIGKILL')
    await child.exited
    await eventually(() => running('/fixture-of-the-image.ts') === 0)
  })
})
