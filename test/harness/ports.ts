import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Below the range from which the kernel takes ports for connections going out: nobody but a listener takes one of these.
const [FIRST, LAST] = [20_000, 29_999]
const claims = join(tmpdir(), 'remit-test-ports')

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Marks a port as ours among the test processes that run at once; what a dead one had marked is free again. */
const claim = (port: number): boolean => {
  const file = join(claims, String(port))
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    try {
      if (alive(Number(readFileSync(file, 'utf8')))) return false
      rmSync(file)
    } catch {
      // Another process was quicker.
    }
    return false
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** Loopback ports that nothing listens on and no other test takes, all different. */
export const freePorts = async (count: number): Promise<number[]> => {
  mkdirSync(claims, { recursive: true })
  const ports: number[] = []
  while (ports.length < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1))
    if (claim(port) && (await isFree(port))) ports.push(port)
  }
  return ports
}
