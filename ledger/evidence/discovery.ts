import { EVIDENCE_GROUP, VERSION } from '../../lib/api/names.ts'
import { EVIDENCE_API_VERSION, KIND, RESOURCE } from './group.ts'
import type { MediaType } from './negotiate.ts'

const VERBS = ['get', 'list', 'watch']
const groupVersion = { groupVersion: EVIDENCE_API_VERSION, version: VERSION }

export const apiGroup = {
  kind: 'APIGroup',
  apiVersion: 'v1',
  name: EVIDENCE_GROUP,
  versions: [groupVersion],
  preferredVersion: groupVersion,
}
const apiGroupList = { kind: 'APIGroupList', apiVersion: 'v1', groups: [apiGroup] }

export const apiResourceList = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: EVIDENCE_API_VERSION,
  resources: [
    { name: RESOURCE, singularName: 'receipt', namespaced: true, kind: KIND, verbs: VERBS, categories: ['remit'] },
  ],
}

const aggregated = (version: string) => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: `apidiscovery.k8s.io/${version}`,
  metadata: {},
  items: [
    {
      metadata: { name: EVIDENCE_GROUP, creationTimestamp: null },
      versions: [
        {
          version: VERSION,
          resources: [
            {
              resource: RESOURCE,
              responseKind: { group: EVIDENCE_GROUP, version: VERSION, kind: KIND },
              scope: 'Namespaced',
              singularResource: 'receipt',
              verbs: VERBS,
              categories: ['remit'],
            },
          ],
          freshness: 'Current',
        },
      ],
    },
  ],
})

/** The answer to GET /apis: aggregated discovery for who can read it (kubectl 1.27 and newer, the API server), else the list of groups. */
export const rootDiscovery = (accepted: MediaType[]): { type: string; body: object } => {
  const wanted = accepted.find(
    ({ params }) =>
      params.as === 'APIGroupDiscoveryList' &&
      params.g === 'apidiscovery.k8s.io' &&
      ['v2', 'v2beta1'].includes(params.v ?? ''),
  )
  const version = wanted?.params.v
  if (!version) return { type: 'application/json', body: apiGroupList }
  return {
    type: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    body: aggregated(version),
  }
}
