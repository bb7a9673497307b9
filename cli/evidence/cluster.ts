import { EVIDENCE_GROUP, LABEL_AGENT, VERSION } from '../../lib/api/names.ts'
import type { Receipt } from '../../lib/api/receipt.ts'
import { UserError } from '../../lib/core/errors.ts'
import type { Query } from '../../lib/kube/client.ts'
import { ApiError, isNotFound } from '../../lib/kube/errors.ts'
import type { Cluster } from '../context.ts'
import { isIntent, type ReceiptSource } from './source.ts'

interface Page {
  items: Receipt[]
  metadata: { continue?: string }
}
const PAGE = 500

/** Receipts through the aggregated API, with the caller's own rights. */
export const clusterReceipts = ({ client, namespace }: Cluster): ReceiptSource => {
  const base = `/apis/${EVIDENCE_GROUP}/${VERSION}/namespaces/${namespace}/receipts`
  const all = async (query: Query): Promise<Receipt[]> => {
    const found: Receipt[] = []
    let token: string | undefined
    do {
      const page = await client
        .request<Page>('GET', base, { query: { ...query, limit: PAGE, continue: token } })
        .catch(withHint)
      found.push(...page.items)
      token = page.metadata.continue
    } while (token)
    return found
  }
  return {
    list: ({ agent, since }) => all({ labelSelector: agent && `${LABEL_AGENT}=${agent}`, since }),
    get: async (name) => {
      const receipt = await client.request<Receipt>('GET', `${base}/${encodeURIComponent(name)}`).catch((error) => {
        if (isNotFound(error))
          throw new UserError('NotFound', { what: `The receipt ${name} in namespace ${namespace}` })
        return withHint(error)
      })
      const [result] = isIntent(receipt) ? await all({ fieldSelector: `body.intent=${name}` }) : []
      return { receipt, result }
    },
    timelineCommand: (agent, ns) => `kubectl remit timeline ${agent} -n ${ns}`,
  }
}

const withHint = (error: unknown): never => {
  if (error instanceof ApiError && error.code === 503)
    throw new UserError('LedgerUnavailable', { detail: error.message })
  throw error
}
