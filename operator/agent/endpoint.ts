import type { Model, Server } from '../../lib/api/gen/types.ts'
import type { RemitModel, RemitServer } from '../../lib/api/remit.ts'
import type { ErrorCode, ErrorValues } from '../../lib/core/errors.ts'
import type { EgressTarget } from '../../lib/core/pod/network-policy.ts'
import type { EndpointSlice, Service } from '../../lib/kube/resources.ts'

/** Where a declared server or model is, and what the agent's fence must let through for it. */
export interface Endpoint {
  url: string
  /** The name that stands for the address: Host header and TLS server name. */
  host?: string
  targets: EgressTarget[]
}
export type Resolved = Endpoint | { code: ErrorCode; values: ErrorValues }

export interface Services {
  service(name: string): Service | undefined
  slices(service: string): EndpointSlice[]
}

const ipv6 = (host: string) => host.replace(/^\[|\]$/g, '')
const isAddress = (host: string) => /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.includes(':')
const withHost = (address: string) => (address.includes(':') ? `[${address}]` : address)
const single = (address: string) => (address.includes(':') ? `${address}/128` : `${address}/32`)

/**
 * What may be dialled for one port of a Service: its backing pods on the ports they really listen on. A port's name is
 * looked up in the EndpointSlices, since each pod may give it another number; while there are none, the name stands.
 * A Service without selector is what its EndpointSlices say.
 */
export const serviceTargets = (
  service: Service,
  slices: EndpointSlice[],
  port: number,
  namespace?: string,
): EgressTarget[] => {
  const declared = service.spec?.ports?.find((each) => each.port === port)
  if (!declared) return []
  const found = slices.flatMap((slice) =>
    (slice.ports ?? [])
      .filter((each) => (each.name ?? '') === (declared.name ?? ''))
      .flatMap((each) => each.port ?? []),
  )
  const selector = service.spec?.selector ?? {}
  if (Object.keys(selector).length === 0) {
    const addresses = slices.flatMap((slice) => slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses)
    return found.length === 0 ? [] : addresses.map((address) => ({ cidr: single(address), ports: found }))
  }
  const target = declared.targetPort ?? port
  const named = typeof target === 'string' && !/^\d+$/.test(target)
  const ports = !named ? [Number(target)] : found.length > 0 ? found : [String(target)]
  return [{ pods: selector, namespace, ports }]
}

const ofService = (entry: Server | Model, namespace: string, services: Services): Resolved => {
  const { name, port, path = '/', scheme = 'http' } = entry.service!
  const refuse = (detail: string): Resolved => ({
    code: 'ServiceUnusable',
    values: { name, server: entry.name, detail },
  })
  const service = services.service(name)
  if (!service) return { code: 'ServiceMissing', values: { name, server: entry.name, namespace } }
  if (service.spec?.type === 'ExternalName') return refuse('it is an ExternalName, and agent pods resolve no names')
  const address = service.spec?.clusterIP
  if (!address || address === 'None') return refuse('it has no cluster IP')
  const declared = service.spec?.ports?.find((each) => each.port === port)
  if (!declared) {
    const ports = (service.spec?.ports ?? []).map((each) => each.port).join(', ')
    return refuse(`it has no port ${port}, but ${ports || 'none'}`)
  }
  if ((declared.protocol ?? 'TCP') !== 'TCP') return refuse(`its port ${port} is not TCP`)
  return {
    url: `${scheme}://${withHost(address)}:${port}${path}`,
    host: `${name}.${namespace}.svc`,
    targets: serviceTargets(service, services.slices(name), port),
  }
}

const ofUrl = (entry: Server | Model): Resolved => {
  const refuse = (name: string, detail: string): Resolved => ({
    code: 'ServiceUnusable',
    values: { name, server: entry.name, detail },
  })
  // The schema lets more pass (a port of 99999). An exception here would keep the agent from ever being stopped.
  if (!URL.canParse(entry.url!)) return refuse(entry.url!, 'it is not a URL that can be dialled')
  const url = new URL(entry.url!)
  const name = ipv6(url.hostname)
  const address = entry.address ?? name
  if (!isAddress(address)) return refuse(name, `${name} is a name, and agent pods resolve none; give its address`)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  url.hostname = withHost(address)
  return {
    url: url.href,
    ...(name === address ? {} : { host: name }),
    targets: [{ cidr: single(address), ports: [port] }],
  }
}

/** Resolves one entry of `spec.servers` or `spec.models`, from caches alone. */
export const resolveEndpoint = (entry: Server | Model, namespace: string, services: Services): Resolved =>
  entry.service ? ofService(entry, namespace, services) : ofUrl(entry)

/** How the sidecar sends the credential; see `credentialHeader` of the AgentIdentity. */
const credential = (entry: Server | Model, fallback: string): Pick<RemitServer, 'credential'> => {
  if (!entry.credentialRef) return {}
  const header = entry.credentialHeader?.toLowerCase() ?? fallback
  return { credential: header === 'authorization' ? { header, scheme: 'Bearer' } : { header } }
}

export const remitServer = (server: Server, { url, host }: Endpoint): RemitServer => ({
  name: server.name,
  url,
  ...(host ? { host } : {}),
  ...credential(server, 'authorization'),
})

export const remitModel = (model: Model, { url, host }: Endpoint): RemitModel => {
  const api = model.api ?? 'OpenAI'
  return {
    name: model.name,
    url,
    ...(host ? { host } : {}),
    api,
    ...credential(model, api === 'Anthropic' ? 'x-api-key' : 'authorization'),
  }
}
