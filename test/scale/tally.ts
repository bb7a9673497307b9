import type { Write } from './audit.ts'

/** The operator's own Lease says that it lives; it is renewed whatever happens. */
const isHeartbeat = ({ resource }: Write) => resource === 'leases'

export const byOperator = (writes: Write[]): Write[] =>
  writes.filter((write) => write.user.endsWith(':remit-operator') && !isHeartbeat(write))

/** How often each of `verb resource` was asked for, the most frequent first. */
export const tally = (writes: Write[]): [what: string, times: number][] => {
  const counts = new Map<string, number>()
  for (const { verb, resource, code } of writes) {
    const what = `${verb} ${resource}${code < 400 ? '' : ` (refused, ${code})`}`
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  return [...counts].sort(([, a], [, b]) => b - a)
}
