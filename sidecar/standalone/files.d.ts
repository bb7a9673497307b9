import type { AgentPolicy, ClusterAgentPolicy, OwnerGroup } from '../../lib/api/gen/types.ts'
import { type ErrorCode, UserError } from '../../lib/core/errors.ts'
/** What policy files hold; of an OwnerGroup there is at most one. */
export interface PolicyFiles {
  policies: AgentPolicy[]
  clusterPolicies: ClusterAgentPolicy[]
  owner?: OwnerGroup
}
/** A mistake in a file, as a person reads it: where, what, and the value. */
export declare const invalid: (
  where: string,
  field: string,
  detail: string,
  value?: string,
  fix?: string,
  code?: ErrorCode,
) => UserError
/**
 * Reads the AgentPolicies, ClusterAgentPolicies and the OwnerGroup of YAML or JSON files (AgentIdentities and
 * other projects' kinds may be among them and are not used). Throws the first mistake as a UserError that names file, field, value and fix.
 */
export declare const readPolicyFiles: (paths: string[]) => PolicyFiles
