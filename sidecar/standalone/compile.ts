import type { AgentIdentity, OwnerGroup, Stamp } from '../../lib/api/gen/types.ts'
import type { Remit, RemitModel, RemitServer } from '../../lib/api/remit.ts'
import { compile, STANDALONE } from '../../lib/core/compile.ts'
import { asError, type PolicyFiles } from './files.ts'

export interface StandaloneInput {
  files: PolicyFiles
  servers: RemitServer[]
  models: RemitModel[]
  /** Who answers for the agent when no OwnerGroup is given. */
  owner: string
  /** Who started the agent. */
  user: string
  /** Milliseconds since the epoch: time and generation of the remit. */
  at: number
  startedAt: number
  /** Who lifted the last freeze, and when. */
  unfrozen?: Stamp | undefined
}

const ownerOf = (owner: string, namespace: string): OwnerGroup => ({
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'OwnerGroup',
  metadata: { name: STANDALONE, namespace, uid: STANDALONE },
  spec: { members: [{ name: owner }], onCall: { owner } },
})

/** The remit a cluster's operator would make of the files, for the one agent of this gate, or every problem with them. */
export const compileFiles = (input: StandaloneInput): ReturnType<typeof compile> => {
  const { files, user } = input
  const namespace = files.policies[0]?.metadata.namespace ?? STANDALONE
  const here = <T extends { metadata: { name: string } }>(object: T): T => ({
    ...object,
    metadata: { ...object.metadata, namespace, uid: object.metadata.name },
  })
  const owner = here(files.owner ?? ownerOf(input.owner, namespace))
  const agent: AgentIdentity = {
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentIdentity',
    metadata: { name: STANDALONE, namespace, uid: STANDALONE },
    spec: {
      ownerRef: { name: owner.metadata.name },
      policyRefs: files.policies.map(({ metadata }) => ({ name: metadata.name })),
      workload: { image: STANDALONE },
      createdBy: { username: user, at: new Date(input.startedAt).toISOString() },
      ...(input.unfrozen ? { unfrozenAt: input.unfrozen.at, unfrozenBy: input.unfrozen } : {}),
    },
  }
  return compile({
    cluster: STANDALONE,
    agent,
    policies: files.policies.map(here),
    clusterPolicies: files.clusterPolicies.map((policy) => ({
      ...policy,
      metadata: { ...policy.metadata, uid: policy.metadata.name },
    })),
    owner,
    servers: input.servers,
    models: input.models,
    generation: input.at,
    epoch: 0,
    issuedAt: new Date(input.at).toISOString(),
  })
}

/** As {@link compileFiles}; throws the first problem as a UserError. */
export const compileStandalone = (input: StandaloneInput): Remit => {
  const result = compileFiles(input)
  if ('remit' in result) return result.remit
  throw asError(result.problems[0]!)
}
