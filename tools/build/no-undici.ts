/**
 * Stands in for undici in the bundles. client-node's generated API client needs it, and Remit makes its own requests
 * (`lib/kube/client.ts`); undici would keep `kubectl-remit` from starting on Node 20 and weighs more than most parts.
 */
const unused = class {
  constructor() {
    throw new Error('undici is not part of this bundle: make requests through lib/kube/client.ts')
  }
}
export const fetch = unused
export { unused as Agent, unused as ProxyAgent }
