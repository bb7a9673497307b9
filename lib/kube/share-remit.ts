import type { Remit } from '../api/remit.ts'
import type { Intern } from './intern.ts'

const COMMON = ['rules', 'owner', 'anchors', 'ledgerCA'] as const satisfies (keyof Remit)[]

/** Agents under the same policies differ in little: what their remits have in common is kept once. Changes `remit`. */
export const shareRemit = (remit: Remit, intern: Intern): void => {
  for (const name of COMMON) if (remit[name] !== undefined) Object.assign(remit, { [name]: intern(remit[name]) })
}
