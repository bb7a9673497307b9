/** What is tried with a server on standard input and output, behind the bridge in a pod. */
export const BRIDGE_CASES = ['allow', 'deny', 'dies', 'back'] as const
export type BridgeCase = (typeof BRIDGE_CASES)[number]
/** What a case came to; no faults: as it should. */
export interface BridgeCell {
  client: string
  case: BridgeCase
  faults: string[]
}
