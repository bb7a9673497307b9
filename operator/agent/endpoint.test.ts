import { expect, test } from 'vitest'
import type { EndpointSlice, Service } from '../../lib/kube/resources.ts'
import { remitModel, remitServer, resolveEndpoint, serviceTargets } from './endpoint.ts'

const service = (spec: object): Service =>
  ({ metadata: { name: 'billing-mcp', namespace: 'payments' }, spec }) as Service
const slice = (port: number, addresses: string[] = ['10.244.0.7']) =>
  ({
    metadata: { name: 's' },
    addressType: 'IPv4',
    endpoints: [{ addresses }],
    ports: [{ name: 'mcp', port }],
  }) as EndpointSlice
const plain = { clusterIP: '10.96.0.7', selector: { app: 'b' }, ports: [{ name: 'mcp', port: 8080, targetPort: 3000 }] }
const resolve = (entry: object, spec?: object, slices: EndpointSlice[] = []) =>
  resolveEndpoint({ name: 'billing', ...entry } as never, 'payments', {
    service: () => (spec ? service(spec) : undefined),
    slices: () => slices,
  })
const ref = { service: { name: 'billing-mcp', port: 8080, path: '/mcp' } }

test.each([
  [
    'a Service',
    ref,
    plain,
    [],
    {
      url: 'http://10.96.0.7:8080/mcp',
      host: 'billing-mcp.payments.svc',
      targets: [{ pods: { app: 'b' }, ports: [3000] }],
    },
  ],
  [
    'a Service over IPv6 and TLS',
    { service: { ...ref.service, scheme: 'https' } },
    { ...plain, clusterIP: 'fd00::7' },
    [],
    { url: 'https://[fd00::7]:8080/mcp' },
  ],
  [
    'a named port that is known',
    ref,
    { ...plain, ports: [{ name: 'mcp', port: 8080, targetPort: 'http' }] },
    [slice(3001), slice(3002)],
    { targets: [{ pods: { app: 'b' }, ports: [3001, 3002] }] },
  ],
  [
    'a named port that is not known yet',
    ref,
    { ...plain, ports: [{ name: 'mcp', port: 8080, targetPort: 'http' }] },
    [],
    { targets: [{ pods: { app: 'b' }, ports: ['http'] }] },
  ],
  [
    'a Service without selector',
    ref,
    { ...plain, selector: undefined },
    [slice(9000, ['192.0.2.1', '192.0.2.2'])],
    {
      targets: [
        { cidr: '192.0.2.1/32', ports: [9000] },
        { cidr: '192.0.2.2/32', ports: [9000] },
      ],
    },
  ],
  [
    'an address',
    { url: 'https://192.0.2.9/mcp' },
    undefined,
    [],
    { url: 'https://192.0.2.9/mcp', targets: [{ cidr: '192.0.2.9/32', ports: [443] }] },
  ],
  [
    'a name with its address',
    { url: 'https://mcp.corp.example:8443/mcp?x=1', address: '192.0.2.9' },
    undefined,
    [],
    {
      url: 'https://192.0.2.9:8443/mcp?x=1',
      host: 'mcp.corp.example',
      targets: [{ cidr: '192.0.2.9/32', ports: [8443] }],
    },
  ],
  [
    'an IPv6 address',
    { url: 'http://[2001:db8::1]:80/mcp' },
    undefined,
    [],
    { url: 'http://[2001:db8::1]/mcp', targets: [{ cidr: '2001:db8::1/128', ports: [80] }] },
  ],
  ['no Service', ref, undefined, [], { code: 'ServiceMissing' }],
  ['a headless Service', ref, { ...plain, clusterIP: 'None' }, [], { code: 'ServiceUnusable' }],
  [
    'an ExternalName',
    ref,
    { type: 'ExternalName', externalName: 'evil.example', ports: plain.ports },
    [],
    { code: 'ServiceUnusable' },
  ],
  [
    'another port',
    { service: { ...ref.service, port: 1 } },
    plain,
    [],
    { code: 'ServiceUnusable', values: { detail: 'it has no port 1, but 8080' } },
  ],
  ['a UDP port', ref, { ...plain, ports: [{ ...plain.ports[0], protocol: 'UDP' }] }, [], { code: 'ServiceUnusable' }],
  ['a port that is none', { url: 'http://10.0.0.1:99999/mcp' }, undefined, [], { code: 'ServiceUnusable' }],
  ['a name alone', { url: 'https://mcp.corp.example/mcp' }, undefined, [], { code: 'ServiceUnusable' }],
])('%s', (_, entry, spec, slices, expected) => {
  expect(resolve(entry, spec, slices)).toMatchObject(expected)
})

test('a port the Service does not have opens nothing', () => {
  expect(serviceTargets(service(plain), [], 1)).toEqual([])
})

const endpoint = { url: 'http://10.96.0.7/', targets: [] }
const credentialRef = { name: 's', key: 'k' }
test.each([
  [remitServer({ name: 's' }, endpoint), undefined],
  [remitServer({ name: 's', credentialRef }, endpoint), { header: 'authorization', scheme: 'Bearer' }],
  [remitServer({ name: 's', credentialRef, credentialHeader: 'X-Token' }, endpoint), { header: 'x-token' }],
  [remitModel({ name: 'm', credentialRef }, endpoint), { header: 'authorization', scheme: 'Bearer' }],
  [remitModel({ name: 'm', api: 'Anthropic', credentialRef }, endpoint), { header: 'x-api-key' }],
  [
    remitModel({ name: 'm', api: 'Anthropic', credentialRef, credentialHeader: 'Authorization' }, endpoint),
    { header: 'authorization', scheme: 'Bearer' },
  ],
])('how a credential is sent: %#', (entry, expected) => {
  expect(entry.credential).toEqual(expected)
})
