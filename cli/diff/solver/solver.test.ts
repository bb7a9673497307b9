import { expect, test } from 'vitest'
import { openSolver } from './solver.ts'

/** Pigeons: nothing that is found in a moment. */
const HARD = [
  ...Array.from({ length: 14 * 13 }, (_, i) => `(declare-const p${Math.floor(i / 13)}_${i % 13} Bool)`),
  ...Array.from(
    { length: 14 },
    (_, p) => `(assert (or ${Array.from({ length: 13 }, (_, h) => `p${p}_${h}`).join(' ')}))`,
  ),
  ...Array.from({ length: 13 }, (_, h) =>
    Array.from({ length: 14 }, (_, p) =>
      Array.from({ length: p }, (_, q) => `(assert (not (and p${p}_${h} p${q}_${h})))`).join(' '),
    ).join(' '),
  ),
  '(check-sat)',
].join('\n')

test('a run that takes too long is ended, and the next one is answered', async () => {
  const solver = openSolver()
  try {
    expect(await solver.ask('(declare-const x Real) (assert (> x 1.5)) (check-sat)', 20_000)).toBe('sat\n')
    const begun = Date.now()
    expect(await solver.ask(HARD, 300)).toBeUndefined()
    expect(Date.now() - begun).toBeLessThan(5_000)
    expect(await solver.ask('(check-sat)', 20_000)).toBe('sat\n')
  } finally {
    solver.close()
  }
})
