import { type ChildProcess, spawn } from 'node:child_process'

export interface Started {
  child: ChildProcess
  stop(): Promise<void>
}

/** Starts a program and waits until a line of its output matches; its whole output is in the error when it does not. */
export const startUntil = async (
  command: string,
  args: string[],
  env: Record<string, string>,
  ready: RegExp,
  ms = 20_000,
): Promise<Started> => {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = () =>
    new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode) return resolve()
      child.once('exit', () => resolve())
      child.kill('SIGTERM')
    })
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const give = (why: string) => reject(new Error(`${command} ${args.join(' ')} ${why}:\n${output}`))
    const timer = setTimeout(() => give(`was not ready within ${ms} ms`), ms)
    const look = (chunk: Buffer) => {
      output += chunk
      if (!ready.test(output)) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.once('exit', (code) => give(`ended with ${code}`))
  }).catch(async (error) => {
    await stop()
    throw error
  })
  return { child, stop }
}
