import type {
  Breaker,
  OwnerGroupSpec,
  Pin,
  PromptRule,
  Redaction,
  RequestRule,
  ResourceRule,
  RestrictingRule,
  Stamp,
  TaintRule,
  ToolRule,
} from './gen/types.ts'

/**
 * The compiled authority of one agent: what the operator signs and the sidecar enforces.
 * Stored as `AgentRemit.spec.remit`; its digest and signature are over its RFC 8785 form.
 */
export interface Remit {
  version: 1
  /** UID of the kube-system namespace, or "standalone" for `remit gate`. */
  cluster: string
  agent: {
    id: string
    namespace: string
    name: string
    purpose?: string
    task?: string
    runbook?: string
    createdBy: Stamp
  }
  /** Only ever grows for one agent; the sidecar and the ledger refuse a lower one. */
  generation: number
  /** The operator Lease's transition count; a lower one is refused. */
  epoch: number
  issuedAt: string
  /** RFC 3339; past it every call is denied. */
  expiresAt?: string
  suspended?: boolean
  /** A freeze from before `at` (RFC 3339) is lifted; who lifted it, as the API server saw them. */
  unfrozen?: Stamp
  owner: { group: string; spec: OwnerGroupSpec }
  /**
   * True when every AgentPolicy of the agent is in mode Observe: calls no enforced rule stops are forwarded, and the
   * decision's `observed` says what would have happened. ClusterAgentPolicies in mode Enforce bind all the same.
   */
  observing?: boolean
  rules: RemitRule[]
  pins?: (OfPolicy & Pin)[]
  redactions?: (OfPolicy & Redaction)[]
  breakers?: (OfPolicy & Breaker)[]
  servers: RemitServer[]
  models: RemitModel[]
  /** NetworkPolicy CIDRs that were opened, for the reader. */
  egress: { cidrs: { cidr: string; ports?: number[] }[] }
  /** What it was compiled from, with SHA-256 digests over the RFC 8785 form of each spec. */
  sources: { kind: string; namespace?: string; name: string; uid: string; digest: string }[]
  /** Certificate authorities (PEM) the sidecar accepts the ledger by; replaces those of its pod. */
  ledgerCA?: string
  /** Ed25519 public JWKs that may sign the next remits; replaces those of its pod. */
  anchors?: { kty: string; crv: string; x: string; kid: string }[]
}

/** Of what a remit has from a policy. */
interface OfPolicy {
  /** `payments/billing`, of the whole cluster `cluster/floor`. */
  policy: string
  mode: 'Enforce' | 'Observe'
}
/** A rule about calls of tools. */
export type CallRule = OfPolicy &
  (
    | ({ type: 'tool' } & ToolRule)
    | ({ type: 'guard' | 'invariant' } & RestrictingRule)
    | ({ type: 'taint' } & TaintRule)
  )
/** A rule about resources, prompts, or what servers ask of the agent. */
export type OtherRule = OfPolicy &
  (({ type: 'resource' } & ResourceRule) | ({ type: 'prompt' } & PromptRule) | ({ type: 'request' } & RequestRule))
/** A policy's rule as the remit carries it. */
export type RemitRule = CallRule | OtherRule

export const isCallRule = (rule: RemitRule): rule is CallRule =>
  rule.type !== 'resource' && rule.type !== 'prompt' && rule.type !== 'request'

export interface RemitServer {
  name: string
  /** Where to dial; its host is an IP address in a cluster (agent pods have no DNS). */
  url: string
  /** Host header and TLS server name when they differ from the URL's host. */
  host?: string
  /** How the upstream credential is sent; the value itself is only in the sidecar's file `/var/run/remit/credentials/server-<name>`. */
  credential?: { header: string; scheme?: 'Bearer' }
}
export interface RemitModel {
  name: string
  url: string
  host?: string
  api: 'OpenAI' | 'Anthropic'
  /** file `/var/run/remit/credentials/model-<name>` */
  credential?: { header: string; scheme?: 'Bearer' }
}

/** A remit as it travels: `signature` is a compact EdDSA JWS with detached payload (RFC 7515 appendix F), payload = RFC 8785 form of `remit`. Its protected header is {alg, kid, typ: "remit+jws", cluster}. */
export interface SignedRemit {
  remit: Remit
  signature: string
}
