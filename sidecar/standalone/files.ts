import { readFileSync } from 'node:fs'
import { load, loadAll } from 'js-yaml'
import type { AgentPolicy, ClusterAgentPolicy, OwnerGroup } from '../../lib/api/gen/types.ts'
import { applyDefaults, type RemitKind, validate } from '../../lib/api/validate.ts'
import { UserError } from '../../lib/core/errors.ts'
import type { Problem } from '../../lib/core/problem.ts'

/** What policy files hold; of an OwnerGroup there is at most one. */
export interface PolicyFiles {
  policies: AgentPolicy[]
  clusterPolicies: ClusterAgentPolicy[]
  owner?: OwnerGroup
}

/** A problem as a person reads it: where, what, and the value. */
export const asError = ({ object, field, value, code, detail, fix }: Problem): UserError =>
  new UserError(code, {
    field: `${object ?? 'policy'}: ${field}`,
    detail: value === undefined ? detail : `${detail} (it is ${value})`,
    fix,
  })

const MEND = 'Mend the file.'
const problem = (object: string, field: string, detail: string, value?: string, fix = MEND): Problem => ({
  object,
  field,
  ...(value === undefined ? {} : { value }),
  code: 'PolicyInvalid',
  detail,
  fix,
})

const documents = (path: string): { documents: unknown[] } | Problem => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return problem(path, 'file', `cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
  try {
    return { documents: path.endsWith('.json') ? [load(text)] : loadAll(text) }
  } catch (error) {
    return problem(path, 'YAML', (error as Error).message.split('\n')[0]!)
  }
}

/** Adds one document to what was found, or says what is wrong with it. */
const take = (document: unknown, path: string, found: PolicyFiles): Problem[] => {
  if (document === null || document === undefined) return []
  const { apiVersion, kind } = document as { apiVersion?: unknown; kind?: unknown }
  const ours = String(apiVersion).startsWith('remit.dev/') || KINDS.has(String(kind))
  if (!ours && typeof kind === 'string') return []
  if (apiVersion !== 'remit.dev/v1alpha1' || !KINDS.has(String(kind)))
    return [
      problem(
        path,
        'kind',
        'is not a policy of remit.dev/v1alpha1',
        JSON.stringify(`${apiVersion} ${kind}`),
        'Write apiVersion: remit.dev/v1alpha1 and kind: AgentPolicy.',
      ),
    ]
  if (kind === 'AgentIdentity') return []
  const object = applyDefaults(kind as RemitKind, document) as { metadata?: { name?: string } }
  const name = object.metadata?.name
  const where = `${path}: ${kind} ${name ?? ''}`.trim()
  const findings = validate(kind as RemitKind, object)
  if (findings.length) return findings.map(({ field, detail, value }) => problem(where, field, detail, value))
  if (kind === 'OwnerGroup') {
    if (found.owner)
      return [problem(path, 'kind', 'a second OwnerGroup', undefined, 'Give one; it answers for the agent.')]
    found.owner = object as OwnerGroup
    return []
  }
  const list: { metadata: { name: string } }[] = kind === 'AgentPolicy' ? found.policies : found.clusterPolicies
  if (list.some(({ metadata }) => metadata.name === name))
    return [problem(where, 'metadata.name', 'is used by another policy of these files', name, 'Give one of them.')]
  list.push(object as AgentPolicy)
  return []
}

/**
 * The AgentPolicies, ClusterAgentPolicies and the OwnerGroup of YAML or JSON files (AgentIdentities and other projects'
 * kinds may be among them and are not used), and every mistake in them.
 */
export const readPolicies = (paths: string[]): { files: PolicyFiles; problems: Problem[] } => {
  const files: PolicyFiles = { policies: [], clusterPolicies: [] }
  const problems = paths.flatMap((path) => {
    const read = documents(path)
    return 'documents' in read ? read.documents.flatMap((document) => take(document, path, files)) : [read]
  })
  return { files, problems }
}

/** As {@link readPolicies}; throws the first mistake, and wants an AgentPolicy, without which nothing is allowed. */
export const readPolicyFiles = (paths: string[]): PolicyFiles => {
  const { files, problems } = readPolicies(paths)
  if (problems[0]) throw asError(problems[0])
  if (!files.policies.length)
    throw asError(problem(paths.join(', '), 'kind', 'no AgentPolicy', undefined, 'Give a file with kind: AgentPolicy.'))
  return files
}

const KINDS = new Set(['AgentIdentity', 'AgentPolicy', 'ClusterAgentPolicy', 'OwnerGroup'])
