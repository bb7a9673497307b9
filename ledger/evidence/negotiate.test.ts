import { expect, test } from 'vitest'
import { rootDiscovery } from './discovery.ts'
import { negotiate, parseAccept } from './negotiate.ts'

const KUBECTL =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'

test.each([
  [undefined, 'Object'],
  ['*/*', 'Object'],
  ['application/json, */*', 'Object'],
  [KUBECTL, 'Table'],
  ['application/json;as=Table;v=v2;g=meta.k8s.io,application/json', 'Object'],
  [
    'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
    'Metadata',
  ],
  ['application/vnd.kubernetes.protobuf, application/json', 'Object'],
])('%s is answered as %s', (header, form) => {
  expect(negotiate(parseAccept(header))).toBe(form)
})

test.each(['application/vnd.kubernetes.protobuf', 'text/html', 'application/json;q=0'])(
  '%s is not acceptable',
  (header) => {
    expect(() => negotiate(parseAccept(header))).toThrow(expect.objectContaining({ code: 406 }))
  },
)

test('discovery is aggregated for who can read it', () => {
  expect(rootDiscovery(parseAccept('application/json')).body).toMatchObject({ kind: 'APIGroupList' })
  const header = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
  expect(rootDiscovery(parseAccept(header))).toMatchObject({
    type: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
    body: { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' },
  })
})
