import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Closing, type Played, play } from './play.ts'
import { type Setting, type Suite, type SuiteName, startSuite } from './suite.ts'

/** Everything one suite came to. */
export interface SuiteRuns {
  suite: SuiteName
  goals: Record<string, string>
  /** User tasks under the policy. */
  user: Played[]
  /** Injection tasks under the policy: alone, and inside each user task that reads what the attacker wrote. */
  attacks: Played[]
  /** Both without it: user and injection tasks alone, through a gate that only observes. */
  bare: Played[]
}

const OBSERVE = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: observe}
spec: {mode: Observe}
`

export const policyOf = (suite: SuiteName): string => fileURLToPath(new URL(`policies/${suite}.yaml`, import.meta.url))

/** All settings of a suite; `only` keeps those it says true of. */
export const settingsOf = ({ tasks }: Pick<Suite, 'tasks'>): { user: Setting[]; attacks: Setting[] } => ({
  user: tasks.user.map(({ id }) => ({ user: id })),
  attacks: tasks.attacks.flatMap(({ id: attack }) => [
    { attack },
    ...tasks.user.filter(({ carries }) => carries).map(({ id: user }) => ({ user, attack })),
  ]),
})

/** Plays a suite, or the settings of it that `only` picks, one after the other; `say` hears of each. */
export const playSuite = async (
  python: string,
  name: SuiteName,
  { only = () => true, say = () => {} }: { only?: (setting: Setting) => boolean; say?: (done: string) => void } = {},
): Promise<SuiteRuns> => {
  const dir = mkdtempSync(join(tmpdir(), 'remit-attacks-'))
  const closing: Closing[] = []
  try {
    const suite = await startSuite(python, name, dir)
    try {
      const observe = join(dir, 'observe.yaml')
      writeFileSync(observe, OBSERVE)
      const { user, attacks } = settingsOf(suite)
      const all = user.length + attacks.length
      let done = 0
      const under = async (policy: string, settings: Setting[]): Promise<Played[]> => {
        const played: Played[] = []
        for (const setting of settings.filter(only)) {
          played.push(await play(suite, policy, setting, dir, closing))
          done += 1
          say(`${done} of about ${all}`)
        }
        return played
      }
      return {
        suite: name,
        goals: Object.fromEntries(suite.tasks.attacks.map(({ id, goal }) => [id, goal])),
        bare: await under(observe, [...user, ...attacks.filter((setting) => setting.user === undefined)]),
        user: await under(policyOf(name), user),
        attacks: await under(policyOf(name), attacks),
      }
    } finally {
      await suite.stop()
    }
  } finally {
    await Promise.all(closing)
    rmSync(dir, { recursive: true, force: true })
  }
}
