import { apply, type Desired } from '../../lib/kube/apply.ts'
import type { Client } from '../../lib/kube/client.ts'
import {
  type ApiService,
  apiServices,
  type ConfigMap,
  configMaps,
  type MutatingWebhookConfiguration,
  mutatingWebhookConfigurations,
  type ValidatingWebhookConfiguration,
  validatingWebhookConfigurations,
} from '../../lib/kube/resources.ts'

const fieldManager = 'remit-operator-certificates'

type Webhooks = MutatingWebhookConfiguration | ValidatingWebhookConfiguration

/** Tells the API server whom to believe when it calls a webhook; only where it does not know yet. */
export const publishWebhookCA = async (
  client: Client,
  found: { mutating?: MutatingWebhookConfiguration; validating?: ValidatingWebhookConfiguration },
  bundle: string,
  signal: AbortSignal,
): Promise<void> => {
  const caBundle = Buffer.from(bundle).toString('base64')
  const stale = (configuration: Webhooks | undefined): configuration is Webhooks =>
    (configuration?.webhooks ?? []).some(({ clientConfig }) => clientConfig.caBundle !== caBundle)
  const wanted = ({ metadata: { name, uid }, webhooks = [] }: Webhooks) => ({
    metadata: { name, uid },
    webhooks: (webhooks as { name: string }[]).map((webhook) => ({ name: webhook.name, clientConfig: { caBundle } })),
  })
  if (stale(found.mutating)) {
    const desired = wanted(found.mutating) as Desired<MutatingWebhookConfiguration>
    await apply(client, mutatingWebhookConfigurations, desired, { fieldManager, signal })
  }
  if (stale(found.validating)) {
    const desired = wanted(found.validating) as Desired<ValidatingWebhookConfiguration>
    await apply(client, validatingWebhookConfigurations, desired, { fieldManager, signal })
  }
}

/** The same for the aggregated API of the ledger. */
export const publishApiServiceCA = async (
  client: Client,
  found: ApiService | undefined,
  bundle: string,
  signal: AbortSignal,
): Promise<void> => {
  const caBundle = Buffer.from(bundle).toString('base64')
  if (!found?.spec?.service || found.spec.caBundle === caBundle) return
  const { name, uid } = found.metadata
  const desired = { metadata: { name, uid }, spec: { caBundle } } as Desired<ApiService>
  await apply(client, apiServices, desired, { fieldManager, signal })
}

/** What the webhook puts into sidecars; see CONFIGMAP_TRUST. */
export const publishTrust = async (
  client: Client,
  found: ConfigMap | undefined,
  target: { namespace: string; name: string },
  data: Record<string, string>,
  signal: AbortSignal,
): Promise<void> => {
  const same = found && Object.entries(data).every(([key, value]) => found.data?.[key] === value)
  if (!same) await apply(client, configMaps, { metadata: target, data } as Desired<ConfigMap>, { fieldManager, signal })
}
