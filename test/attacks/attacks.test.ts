import { beforeAll, describe, expect, test } from 'vitest'
import { silentProgress } from '../../tools/progress.ts'
import { playSuite, type SuiteRuns } from './bench.ts'
import { reportOf } from './report.ts'
import { ensurePython } from './setup.ts'
import { type Setting, SUITES, type SuiteName } from './suite.ts'

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

const played = {} as Record<SuiteName, SuiteRuns>

// The first run on a machine installs the suites' Python packages.
beforeAll(async () => {
  const python = await ensurePython(silentProgress)
  await Promise.all(
    SUITES.map(async (name) => {
      played[name] = await playSuite(python, name, { only: chosen(name) })
    }),
  )
}, 300_000)

describe.each(SUITES)('some of %s', (name) => {
  test('shows every attack at work without a policy, and none under it', () => {
    expect(played[name].bare).toHaveLength(6)
    expect(played[name].attacks).toHaveLength(6)
    const { attacks, without } = reportOf([played[name]]).suites[0]!
    expect(without).toEqual({ undone: [], harmless: [] })
    expect(attacks.filter(({ alone, within }) => alone === 'Effect' || within.Effect.length > 0)).toEqual([])
  })

  test('lets users have what they ask for, a person first where the company wants one', () => {
    const { user } = reportOf([played[name]]).suites[0]!
    expect(user.broken).toEqual([])
    expect(user.person).toEqual(
      name === 'banking'
        ? [{ id: 'user_task_15', waits: ['update_scheduled_transaction asks (adjust-standing-orders)'] }]
        : [{ id: 'user_task_35', waits: ['delete_file asks (delete)'] }],
    )
  })
})
