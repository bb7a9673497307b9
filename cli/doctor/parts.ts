import type { AgentIdentity } from '../../lib/api/gen/types.ts'
import { EVIDENCE_GROUP, GROUP, VERSION } from '../../lib/api/names.ts'
import { list } from '../../lib/kube/objects.ts'
import {
  agentIdentities,
  apiServices,
  customResourceDefinitions,
  deployments,
  mutatingWebhookConfigurations,
  typed,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  validatingWebhookConfigurations,
} from '../../lib/kube/resources.ts'
import { type DoctorCheck, fail, ok, warn } from './finding.ts'

const REINSTALL = 'Run helm upgrade of the remit chart.'
const isRemit = (object: { metadata: { name?: string; labels?: Record<string, string> } }) =>
  object.metadata.labels?.['app.kubernetes.io/part-of'] === 'remit' ||
  object.metadata.labels?.['app.kubernetes.io/name'] === 'remit'

const kinds: DoctorCheck = {
  name: 'kinds',
  run: async (client) => {
    const wanted = ['agentidentities', 'agentpolicies', 'clusteragentpolicies', 'ownergroups', 'agentremits'].map(
      (p) => `${p}.${GROUP}`,
    )
    const { items } = await list(client, customResourceDefinitions)
    return wanted.map((name) => {
      const found = items.find((crd) => crd.metadata.name === name)
      const established = found?.status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True')
      return established ? ok(name) : fail(`${name} is ${found ? 'not established' : 'missing'}`, REINSTALL)
    })
  },
}

const running: DoctorCheck = {
  name: 'parts',
  run: async (client, { systemNamespace }) => {
    const { items } = await list(client, deployments, { namespace: systemNamespace })
    const parts = items.filter(isRemit)
    if (!parts.length)
      return [
        fail(
          `no Deployment of Remit in ${systemNamespace}`,
          'Install the chart, or name its namespace with --system-namespace.',
        ),
      ]
    return parts.map(({ metadata, spec, status }) => {
      const [want, have] = [spec?.replicas ?? 1, status?.readyReplicas ?? 0]
      return have >= want
        ? ok(`${metadata.name} ${have}/${want}`)
        : fail(
            `${metadata.name} has ${have} of ${want} replicas ready`,
            `kubectl describe deployment ${metadata.name} -n ${systemNamespace}`,
          )
    })
  },
}

const evidence: DoctorCheck = {
  name: 'ledger',
  run: async (client) => {
    const name = `${VERSION}.${EVIDENCE_GROUP}`
    const service = (await list(client, apiServices)).items.find((item) => item.metadata.name === name)
    const available = service?.status?.conditions?.find((c) => c.type === 'Available')
    if (available?.status === 'True') return [ok(`${name} is available`)]
    return [
      fail(
        `${name} is ${service ? `not available: ${available?.message ?? 'no condition yet'}` : 'missing'}`,
        'See the pod of the ledger: kubectl logs -l app.kubernetes.io/component=ledger -A',
      ),
    ]
  },
}

const admission: DoctorCheck = {
  name: 'admission',
  run: async (client) => {
    const [validating, mutating, policies, bindings] = await Promise.all([
      list(client, validatingWebhookConfigurations),
      list(client, mutatingWebhookConfigurations),
      list(client, validatingAdmissionPolicies),
      list(client, validatingAdmissionPolicyBindings),
    ])
    const hooks = [...validating.items, ...mutating.items].filter(isRemit)
    const webhooks = hooks.flatMap((item) =>
      (item.webhooks ?? []).map((hook) => ({ name: hook.name, trusted: Boolean(hook.clientConfig.caBundle) })),
    )
    const bound = new Set(bindings.items.map((binding) => binding.spec?.policyName))
    const held = policies.items.filter(isRemit)
    return [
      ...(hooks.length >= 2 ? [] : [fail('the webhook configurations are missing', REINSTALL)]),
      ...webhooks.map(({ name, trusted }) =>
        trusted
          ? ok(`webhook ${name}`)
          : fail(`webhook ${name} has no caBundle`, 'The operator writes it; see its log.'),
      ),
      ...(held.length ? [] : [fail('no ValidatingAdmissionPolicy of Remit', REINSTALL)]),
      ...held.map(({ metadata }) =>
        bound.has(metadata.name)
          ? ok(`policy ${metadata.name}`)
          : fail(`policy ${metadata.name} is bound nowhere`, REINSTALL),
      ),
    ]
  },
}

/** Not running, because somebody or the agent itself wanted it so. */
const MEANT = new Set(['Completed', 'AgentSuspended', 'RemitExpired'])

const agents: DoctorCheck = {
  name: 'agents',
  run: async (client) => {
    const { items } = await list(client, typed<AgentIdentity>(agentIdentities))
    return items.map(({ metadata, status }) => {
      const name = `${metadata.namespace}/${metadata.name}`
      const frozen = status?.conditions?.find((c) => c.type === 'Frozen' && c.status === 'True')
      if (frozen)
        return warn(
          `${name} is frozen: ${frozen.message}`,
          `kubectl remit timeline ${metadata.name} -n ${metadata.namespace}`,
        )
      const bad = status?.conditions?.find((c) => c.status === 'False' && c.type !== 'Frozen' && !MEANT.has(c.reason))
      return bad
        ? warn(
            `${name}: ${bad.type}=False, ${bad.reason}: ${bad.message}`,
            `kubectl describe agent ${metadata.name} -n ${metadata.namespace}`,
          )
        : ok(name)
    })
  },
}

export const partChecks: DoctorCheck[] = [kinds, running, evidence, admission, agents]
