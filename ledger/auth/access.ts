import { UserError } from '../../lib/core/errors.ts'
import type { Client } from '../../lib/kube/client.ts'
import { ConnectionError } from '../../lib/kube/errors.ts'
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
  const answers = new Map<string, { at: number; allowed: Promise<boolean> }>()

  const ask = async (person: Person, wanted: Wanted): Promise<boolean> => {
    const { username, uid, groups, extra } = person
    const review = await client.request<{ status?: { allowed?: boolean; denied?: boolean } }>(
      'POST',
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      {
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: { user: username, uid, groups, extra, resourceAttributes: wanted },
        },
        timeoutMs: 5_000,
      },
    )
    return review.status?.allowed === true && review.status.denied !== true
  }
  const answer = (person: Person, wanted: Wanted): Promise<boolean> => {
    const key = JSON.stringify([person, wanted])
    const known = answers.get(key)
    if (known && now() - known.at < FRESH_MS) return known.allowed
    const allowed = ask(person, wanted)
    answers.delete(key)
    answers.set(key, { at: now(), allowed })
    if (answers.size > MAX_CACHED) answers.delete(answers.keys().next().value as string)
    allowed.catch(() => answers.delete(key))
    return allowed
  }
  return async (person, wanted) => {
    const allowed = await answer(person, wanted).catch((error) => {
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
