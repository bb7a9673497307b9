import { beforeAll, describe, expect, test } from 'vitest'
import { silentProgress } from '../../tools/progress.ts'
import { playSuite, type SuiteRuns } from './bench.ts'
import { reportOf } from './report.ts'
import { ensurePython } from './setup.ts'
import type { Setting, SuiteName } from './suite.ts'

// A handful of what `npm run bench:attacks` plays in full.
const CHOSEN: Record<SuiteName, { user: string[]; attacks: string[]; inside: string[] }> = {
  banking: {
    user: ['user_task_0', 'user_task_2', 'user_task_15'],
    attacks: ['injection_task_4', 'injection_task_6', 'injection_task_7'],
    inside: ['user_task_2'],
  },
  workspace: {
    user: ['user_task_13', 'user_task_33', 'user_task_35'],
    attacks: ['injection_task_3', 'injection_task_9', 'injection_task_13'],
    inside: ['user_task_13'],
  },
}

const chosen =
  (name: SuiteName) =>
  ({ user, attack }: Setting): boolean => {
    const { [name]: wanted } = CHOSEN
    if (attack === undefined) return wanted.user.includes(user!)
    return wanted.attacks.includes(attack) && (user === undefined || wanted.inside.includes(user))
  }

describe.each(['banking', 'workspace'] as const)('some of %s', (name) => {
  let runs: SuiteRuns
  // The first run on a machine installs the suite's Python packages.
  beforeAll(async () => {
    runs = await playSuite(await ensurePython(silentProgress), name, { only: chosen(name) })
  }, 300_000)

  test('shows every attack at work without a policy, and none under it', () => {
    expect(runs.bare).toHaveLength(6)
    expect(runs.attacks).toHaveLength(6)
    const { attacks, without } = reportOf([runs]).suites[0]!
    expect(without).toEqual({ undone: [], harmless: [] })
    expect(attacks.filter(({ alone, within }) => alone === 'Effect' || within.Effect.length > 0)).toEqual([])
  })

  test('lets users have what they ask for, a person first where the company wants one', () => {
    const { user } = reportOf([runs]).suites[0]!
    expect(user.broken).toEqual([])
    expect(user.person).toEqual(
      name === 'banking'
        ? [{ id: 'user_task_15', waits: ['update_scheduled_transaction asks (adjust-standing-orders)'] }]
        : [{ id: 'user_task_35', waits: ['delete_file asks (delete)'] }],
    )
  })
})
