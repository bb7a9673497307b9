import { LABEL_AGENT, LABEL_AGENT_ID } from '../lib/api/names.ts'
import { type Cause, cause, type Review, type Verdict, verdictOf } from './review.ts'

interface PodTemplate {
  metadata?: { labels?: Record<string, string> }
  spec?: { serviceAccountName?: string; containers?: { image?: string }[] }
}
interface Workload {
  metadata: { name?: string }
  spec?: { template?: PodTemplate; jobTemplate?: { spec?: { template?: PodTemplate } } }
}

/**
 * A user's own workload whose pods would bear an agent's name, run under an agent's ServiceAccount or carry its label.
 * Its pods would be refused one by one, long after `kubectl apply` said "created"; so it is refused here, with the
 * AgentIdentity to make instead.
 */
export const validateWorkload = (review: Review): Verdict => {
  const { metadata, spec } = review.object as unknown as Workload
  const [template, path] =
    review.kind.kind === 'CronJob'
      ? [spec?.jobTemplate?.spec?.template, 'spec.jobTemplate.spec.template']
      : [spec?.template, 'spec.template']
  const found: Cause[] = []
  const detail = `${review.kind.kind} ${review.namespace}/${metadata.name} would run pods that pass for an agent's`
  const at = (field: string, value: unknown) => found.push(cause(field, value, 'ReservedName', { detail }))
  if (review.operation === 'CREATE' && metadata.name?.startsWith('agent-')) at('metadata.name', metadata.name)
  const account = template?.spec?.serviceAccountName
  if (account?.startsWith('agent-')) at(`${path}.spec.serviceAccountName`, account)
  for (const label of [LABEL_AGENT, LABEL_AGENT_ID]) {
    const value = template?.metadata?.labels?.[label]
    if (value !== undefined) at(`${path}.metadata.labels[${label}]`, value)
  }
  const last = found.at(-1)
  if (last) last.message += `\n${instead(metadata.name ?? '', review.namespace, template)}`
  return verdictOf(found)
}

const instead = (name: string, namespace: string, template: PodTemplate | undefined): string =>
  `The AgentIdentity to begin from (kubectl explain agentidentity.spec):
  apiVersion: remit.dev/v1alpha1
  kind: AgentIdentity
  metadata: {name: ${name.replace(/^agent-/, '') || 'NAME'}, namespace: ${namespace}}
  spec:
    ownerRef: {name: OWNERGROUP}
    policyRefs: [{name: AGENTPOLICY}]
    workload: {image: ${JSON.stringify(template?.spec?.containers?.[0]?.image ?? 'IMAGE')}}`
