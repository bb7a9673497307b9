import { UserError } from '../../lib/core/errors.ts'

/** Bounds how much of the ledger one caller can hold at a time. */
export interface Turns {
  /** @throws UserError LedgerBusy when the key has its share under way. */
  run<T>(key: string, task: () => Promise<T>): Promise<T>
}

export const turns = (perKey: number): Turns => {
  const underway = new Map<string, number>()
  return {
    run: async (key, task) => {
      const count = underway.get(key) ?? 0
      if (count >= perKey) throw new UserError('LedgerBusy', { retryAfterSeconds: 1 })
      underway.set(key, count + 1)
      try {
        return await task()
      } finally {
        const left = (underway.get(key) ?? 1) - 1
        if (left) underway.set(key, left)
        else underway.delete(key)
      }
    },
  }
}
