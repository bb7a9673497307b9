import type { Client } from '../lib/kube/client.ts'
import { ApiError } from '../lib/kube/errors.ts'
import { create } from '../lib/kube/objects.ts'
import { agentRemits, ownerGroups, type Resource } from '../lib/kube/resources.ts'
import type { KubeObject } from '../lib/kube/types.ts'

/**
 * What `helm test` runs: asks the installation through the API server. Says a line for each check; true when all hold.
 * Creates nothing: what it sends must be refused, and is a dry run besides.
 */
export const checkInstallation = async (
  client: Client,
  namespace: string,
  say: (line: string) => void,
): Promise<boolean> => {
  const metadata = { name: 'remit-test', namespace }
  const members = [{ name: 'nobody-yet' }]
  const rotation = { timeZone: 'UTC', start: '9000-01-01T00:00', every: { unit: 'Week' }, order: [['nobody-yet']] }
  const checks: [what: string, check: () => Promise<true | string>][] = [
    [
      'the webhook judges: an owner group with nobody on call is refused',
      () => refused(client, ownerGroups, { metadata, spec: { members, onCall: { rotation } } }, 'NobodyOnCall'),
    ],
    [
      'the admission policies hold: a remit that the operator did not write is refused',
      () =>
        refused(
          client,
          agentRemits,
          { metadata, spec: { remit: { generation: 1 }, signature: 'none' } },
          'remit-remits',
        ),
    ],
    [
      'the ledger answers through the API server: receipts can be listed',
      async () => {
        await client.request('GET', `/apis/evidence.remit.dev/v1alpha1/namespaces/${namespace}/receipts`)
        return true
      },
    ],
  ]
  let sound = true
  for (const [what, check] of checks) {
    const result = await check().catch((error: Error) => error.message)
    say(`${result === true ? 'ok    ' : 'FAILED'} ${what}${result === true ? '' : `: ${result}`}`)
    sound &&= result === true
  }
  return sound
}

const refused = async (client: Client, kind: Resource, object: object, words: string): Promise<true | string> => {
  try {
    await create(client, kind, object as KubeObject, { query: { dryRun: 'All' } })
    return 'it was accepted'
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return error.message.includes(words) || `it was refused for another reason: ${error.message}`
  }
}
