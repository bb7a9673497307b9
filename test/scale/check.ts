import type { AgentIdentity, AgentRemit } from '../../lib/api/gen/types.ts'
import type { SignedRemit } from '../../lib/api/remit.ts'
import { remitDigest, verifyRemit } from '../../lib/core/jws.ts'
import type { Client } from '../../lib/kube/client.ts'
import { get, list } from '../../lib/kube/objects.ts'
import { agentIdentities, agentRemits, configMaps, typed } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { SYSTEM_NAMESPACE } from '../webhook/chart.ts'

/** One sentence for each agent whose stored remit is not signed for it, or is not the one its status names. */
export const checkRemits = async (client: Client): Promise<string[]> => {
  const { data = {} } = await get(client, configMaps, { namespace: SYSTEM_NAMESPACE, name: 'remit-trust' })
  const anchors = JSON.parse(data['anchors.json'] ?? '')
  const remits = await list(client, typed<KubeObject & AgentRemit>(agentRemits))
  const held = new Map(remits.items.map(({ metadata, spec }) => [`${metadata.namespace}/${metadata.name}`, spec]))
  const agents = await list(client, typed<KubeObject & AgentIdentity>(agentIdentities))
  return agents.items.flatMap(({ metadata, status }) => {
    const name = `${metadata.namespace}/${metadata.name}`
    try {
      const signed = held.get(name) as unknown as SignedRemit
      const remit = verifyRemit(signed, anchors, { cluster: data.cluster ?? '', agentId: metadata.uid ?? '' })
      const told = status?.remit
      return told?.generation === remit.generation && told.digest === remitDigest(remit)
        ? []
        : [`${name}: its status names another remit than the stored one`]
    } catch (error) {
      return [`${name}: ${(error as Error).message}`]
    }
  })
}
