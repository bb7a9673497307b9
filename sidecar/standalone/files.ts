import { readFileSync } from 'node:fs'
import { load, loadAll } from 'js-yaml'
import type { AgentPolicy, ClusterAgentPolicy, OwnerGroup } from '../../lib/api/gen/types.ts'
import { applyDefaults, type RemitKind, validate } from '../../lib/api/validate.ts'
import { type ErrorCode, UserError } from '../../lib/core/errors.ts'

/** What policy files hold; of an OwnerGroup there is at most one. */
export interface PolicyFiles {
  policies: AgentPolicy[]
  clusterPolicies: ClusterAgentPolicy[]
  owner?: OwnerGroup
}

/** A mistake in a file, as a person reads it: where, what, and the value. */
export const invalid = (
  where: string,
  field: string,
  detail: string,
  value?: string,
  fix?: string,
  code: ErrorCode = 'PolicyInvalid',
): UserError =>
  new UserError(code, {
    field: `${where}: ${field}`,
    detail: value === undefined ? detail : `${detail} (it is ${value})`,
    fix: fix ?? 'Mend the file.',
  })

const KINDS = new Set(['AgentIdentity', 'AgentPolicy', 'ClusterAgentPolicy', 'OwnerGroup'])

const documents = (path: string): unknown[] => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw invalid(path, 'file', `cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
  try {
    return path.endsWith('.json') ? [load(text)] : loadAll(text)
  } catch (error) {
    throw invalid(path, 'YAML', (error as Error).message.split('\n')[0]!)
  }
}

/**
 * Reads the AgentPolicies, ClusterAgentPolicies and the OwnerGroup of YAML or JSON files (AgentIdentities and
 * other projects' kinds may be among them and are not used). Throws the first mistake as a UserError that names file, field, value and fix.
 */
export const readPolicyFiles = (paths: string[]): PolicyFiles => {
  const found: PolicyFiles = { policies: [], clusterPolicies: [] }
  for (const path of paths) {
    for (const document of documents(path)) {
      if (document === null || document === undefined) continue
      const { apiVersion, kind } = document as { apiVersion?: unknown; kind?: unknown }
      const ours = String(apiVersion).startsWith('remit.dev/') || KINDS.has(String(kind))
      if (!ours && typeof kind === 'string') continue
      if (apiVersion !== 'remit.dev/v1alpha1' || !KINDS.has(String(kind)))
        throw invalid(
          path,
          'kind',
          'is not a policy of remit.dev/v1alpha1',
          JSON.stringify(`${apiVersion} ${kind}`),
          'Write apiVersion: remit.dev/v1alpha1 and kind: AgentPolicy.',
        )
      const object = applyDefaults(kind as RemitKind, document) as { metadata?: { name?: string } }
      if (kind === 'AgentIdentity') continue
      const finding = validate(kind as RemitKind, object)[0]
      if (finding)
        throw invalid(
          `${path}: ${kind} ${object.metadata?.name ?? ''}`.trim(),
          finding.field,
          finding.detail,
          finding.value,
        )
      if (kind === 'AgentPolicy') found.policies.push(object as AgentPolicy)
      else if (kind === 'ClusterAgentPolicy') found.clusterPolicies.push(object as ClusterAgentPolicy)
      else if (found.owner)
        throw invalid(path, 'kind', 'a second OwnerGroup', undefined, 'Give one; it answers for the agent.')
      else found.owner = object as OwnerGroup
    }
  }
  if (!found.policies.length)
    throw invalid(paths.join(', '), 'kind', 'no AgentPolicy', undefined, 'Give a file with kind: AgentPolicy.')
  return found
}
