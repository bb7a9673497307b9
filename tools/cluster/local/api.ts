import { run } from '../exec.ts'
import type { Layout } from './layout.ts'

/** Commands against the local cluster with our own kubectl; never anybody's current context. */
export type Kubectl = {
  /** Runs kubectl; `input` is its stdin. Throws when it fails unless allowed. Returns stdout. */
  run(args: string[], options?: { input?: string; allowFailure?: boolean; timeoutMs?: number }): Promise<string>
  /** True when kubectl ended with 0. */
  ok(args: string[], timeoutMs?: number): Promise<boolean>
}

/** kubectl bound to one kubeconfig and, if given, one of its contexts. */
export function kubectl(file: string, l: Pick<Layout, 'kubeconfig'>, context?: string): Kubectl {
  const bound = ['--kubeconfig', l.kubeconfig, ...(context ? ['--context', context] : [])]
  return {
    async run(args, options = {}) {
      return (await run(file, [...bound, ...args], options)).stdout.trim()
    },
    async ok(args, timeoutMs = 10_000) {
      return (await run(file, [...bound, ...args], { allowFailure: true, timeoutMs })).code === 0
    },
  }
}

/** Waits until `check` holds, looking every `everyMs`; the error says what was waited for. */
export async function waitFor(
  what: string,
  check: () => Promise<boolean>,
  timeoutMs: number,
  everyMs = 150,
): Promise<void> {
  const end = Date.now() + timeoutMs
  for (;;) {
    if (await check()) return
    if (Date.now() > end) throw new Error(`${what}: not there after ${Math.round(timeoutMs / 1000)} s`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
