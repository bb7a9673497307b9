/** What is tried with agents in pods. */
export const POD_CASES = ['allow', 'deny', 'hidden'] as const
export type PodCase = (typeof POD_CASES)[number]

/** What one case came to with an agent in a pod; no faults: as it should. */
export interface PodCell {
  client: string
  case: PodCase
  faults: string[]
}
