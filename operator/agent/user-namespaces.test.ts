import { expect, test } from 'vitest'
import type { Node } from '../../lib/kube/resources.ts'
import { userNamespaces } from './user-namespaces.ts'
import type { RuntimeClass } from './world.ts'

const node = (handlers: Record<string, boolean>, labels = {}) =>
  ({
    metadata: { name: 'n', labels },
    status: {
      runtimeHandlers: Object.entries(handlers).map(([name, userNamespaces]) => ({
        name,
        features: { userNamespaces },
      })),
    },
  }) as unknown as Node
const classes = [{ metadata: { name: 'gvisor' }, handler: 'runsc' } as RuntimeClass]
const yes = node({ '': true, runsc: true })
const no = node({ '': false }, { pool: 'old' })
const silent = { metadata: { name: 'n' }, status: {} } as Node

test.each([
  ['no node', {}, [], false],
  ['every node can', {}, [yes, yes], true],
  ['one cannot', {}, [yes, no], false],
  ['one does not say', {}, [yes, silent], false],
  [
    'the one that cannot is not eligible',
    { nodeSelector: { pool: 'new' } },
    [node({ '': true }, { pool: 'new' }), no],
    true,
  ],
  ['no node is eligible', { nodeSelector: { pool: 'none' } }, [yes], false],
  ["the runtime class's handler can", { runtimeClassName: 'gvisor' }, [yes], true],
  ["the runtime class's handler is unknown there", { runtimeClassName: 'gvisor' }, [node({ '': true })], false],
])('%s', (_, workload, nodes, expected) => {
  expect(userNamespaces({ image: 'i', ...workload }, nodes, classes)).toBe(expected)
})
