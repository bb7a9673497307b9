import { canonical } from '../../lib/core/canonical.ts'
import { UserError } from '../../lib/core/errors.ts'
import type { Client } from '../../lib/kube/client.ts'
import { ConnectionError } from '../../lib/kube/errors.ts'
import { mayAccess } from '../../lib/kube/subject-access.ts'
import { remembered } from '../../lib/service/remembered.ts'
import type { Person } from './front-proxy.ts'

export interface Wanted {
  verb: 'get' | 'list' | 'watch'
  group: string
  resource: string
  namespace?: string
  name?: string
}
/** Resolves when the person may. @throws UserError Forbidden, LedgerUnavailable */
export type Authorize = (person: Person, wanted: Wanted) => Promise<void>

const FRESH_MS = 10_000
const MAX_CACHED = 5_000

/** Asks the API server by SubjectAccessReview; an answer is good for ten seconds, no answer is a refusal. */
export const delegatedAuthorization = (options: { client: Client; now: () => number }): Authorize => {
  const { client, now } = options
  const rights = remembered<boolean>({ ms: FRESH_MS, most: MAX_CACHED, now })
  return async (person, wanted) => {
    const allowed = await rights(canonical([person, wanted]), () =>
      mayAccess(client, person, wanted, { timeoutMs: 5_000 }),
    ).catch((error) => {
      if (error instanceof ConnectionError)
        throw new UserError('LedgerUnavailable', { detail: 'the API server could not be asked' })
      throw error
    })
    if (allowed) return
    const where = wanted.namespace ? `in the namespace "${wanted.namespace}"` : 'at the cluster scope'
    throw new UserError('Forbidden', {
      detail: `User "${person.username}" cannot ${wanted.verb} resource "${wanted.resource}" in API group "${wanted.group}" ${where}`,
    })
  }
}
