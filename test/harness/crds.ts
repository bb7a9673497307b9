import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadAll } from 'js-yaml'
import { apply } from '../../lib/kube/apply.ts'
import type { Client } from '../../lib/kube/client.ts'
import { get } from '../../lib/kube/objects.ts'
import { type CustomResourceDefinition, customResourceDefinitions } from '../../lib/kube/resources.ts'
import { eventually } from './eventually.ts'

const folder = fileURLToPath(new URL('../../crds/', import.meta.url))

/** The repository's CRDs, as written by hand in `crds/`. */
export const readCrds = (): CustomResourceDefinition[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => loadAll(readFileSync(folder + file, 'utf8')) as CustomResourceDefinition[])

/** Applies CRDs and waits until each is Established, so that the next request finds its resource. */
export const installCrds = async (client: Client, crds = readCrds()): Promise<void> => {
  await Promise.all(crds.map((crd) => apply(client, customResourceDefinitions, crd, { fieldManager: 'test' })))
  for (const { metadata, spec } of crds) {
    await eventually(
      async () => {
        const crd = await get(client, customResourceDefinitions, { name: metadata.name })
        return crd.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')
      },
      { what: `${metadata.name} established` },
    )
    // Established comes a moment before the handler serves it.
    const version = spec?.versions[0]?.name
    const path = `/apis/${spec?.group}/${version}/${spec?.names.plural}`
    await eventually(() => client.request('GET', path, { query: { limit: 1 } }), { what: `${path} served` })
  }
}
