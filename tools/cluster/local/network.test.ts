import { describe, expect, it } from 'vitest'
import { iptablesCleanup } from './network.ts'

const save = `*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-OLD - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -j DOCKER
-A PREROUTING -j KUBE-OLD
-A KUBE-SERVICES -j KUBE-OLD
COMMIT
*filter
:INPUT ACCEPT [0:0]
-A INPUT -p tcp -m comment --comment "mentions -j KUBE-SERVICES only" -j ACCEPT
COMMIT
`

describe('iptablesCleanup', () => {
  it('removes our chains and what jumps to them, and nothing else', () => {
    expect(iptablesCleanup(save, new Set()).split('\n')).toEqual([
      '*nat',
      '-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      '-D PREROUTING -j KUBE-OLD',
      '-F KUBE-SERVICES',
      '-F KUBE-OLD',
      '-X KUBE-SERVICES',
      '-X KUBE-OLD',
      'COMMIT',
      '',
    ])
  })

  it('keeps chains that were there before us', () => {
    const cleanup = iptablesCleanup(save, new Set(['nat KUBE-OLD']))
    expect(cleanup).toContain('-X KUBE-SERVICES')
    expect(cleanup).not.toContain('-X KUBE-OLD')
    expect(cleanup).not.toContain('-D PREROUTING -j KUBE-OLD')
  })

  it('has nothing to do on a machine without our chains', () => {
    expect(iptablesCleanup('*nat\n:DOCKER - [0:0]\n-A PREROUTING -j DOCKER\nCOMMIT\n', new Set())).toBe('')
  })
})
