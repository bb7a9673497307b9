import type {
  IncarnationBody,
  IntentBody,
  OrphanBody,
  Receipt,
  RemitBody,
  ResultBody,
} from '../../../lib/api/receipt.ts'
import { receiptName } from '../../../lib/api/receipt.ts'
import type { Query } from '../../../lib/kube/client.ts'
import { client } from './world.ts'

interface Page {
  items: Receipt[]
  metadata: { continue?: string }
}
type Of<B> = Receipt & { body: B }

/** All receipts of an agent, oldest first, through the aggregated API. */
export const receiptsOf = async (namespace: string, agent: string, query: Query = {}): Promise<Receipt[]> => {
  const found: Receipt[] = []
  let token: string | undefined
  do {
    const page = await client.request<Page>(
      'GET',
      `/apis/evidence.remit.dev/v1alpha1/namespaces/${namespace}/receipts`,
      {
        query: { labelSelector: `remit.dev/agent=${agent}`, limit: 500, continue: token, ...query },
      },
    )
    found.push(...page.items)
    token = page.metadata.continue
  } while (token)
  return found
}

const kindOf =
  <B extends Receipt['body']>(kind: B['kind']) =>
  (receipts: Receipt[]): Of<B>[] =>
    receipts.filter(({ body }) => body.kind === kind) as Of<B>[]

export const intentsIn = kindOf<IntentBody>('intent')
export const resultsIn = kindOf<ResultBody>('result')
export const orphansIn = kindOf<OrphanBody>('orphan')
export const remitsIn = kindOf<RemitBody>('remit')
export const incarnationsIn = kindOf<IncarnationBody>('incarnation')

/** Sequence numbers that a chain lacks or has twice, by incarnation; empty when nothing was lost or doubled. */
export const chainFaults = (receipts: Receipt[]): string[] => {
  const chains = new Map<string, number[]>()
  for (const { envelope } of receipts)
    chains.set(envelope.incarnation, [...(chains.get(envelope.incarnation) ?? []), envelope.seq])
  return [...chains].flatMap(([incarnation, seqs]) => {
    const sorted = seqs.toSorted((a, b) => a - b)
    return sorted.flatMap((seq, index) =>
      seq === index ? [] : [`${incarnation}: ${seq} stands where ${index} should`],
    )
  })
}

export { receiptName }
