import { randomBytes } from 'node:crypto'
import { type Kubectl, waitFor } from './api.ts'
import { pauseImage } from './layout.ts'

/** The canary's objects in `namespace`: a server, a client, and later the policy that must cut the client off. Pure. */
export function canaryObjects(namespace: string, image: string): { pods: object; policy: object } {
  const pod = (name: string, command: string[]) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { canary: name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'main',
          image,
          imagePullPolicy: 'IfNotPresent',
          command,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            seccompProfile: { type: 'RuntimeDefault' },
          },
        },
      ],
    },
  })
  return {
    pods: {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } },
        pod('server', ['/bin/busybox', 'httpd', '-f', '-p', '8080', '-h', '/bin']),
        pod('client', ['/bin/busybox', 'sleep', '3600']),
      ],
    },
    policy: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'deny-egress', namespace },
      spec: { podSelector: { matchLabels: { canary: 'client' } }, policyTypes: ['Egress'] },
    },
  }
}

/**
 * Proves with two pods that the cluster's network enforces NetworkPolicy: the client reaches the server, and no longer
 * does under a policy that denies egress. Throws when it cannot, because nothing that Remit promises holds on such a cluster.
 */
export async function proveCanary(k: Kubectl, say: (line: string) => void, image: string = pauseImage): Promise<void> {
  const namespace = `remit-canary-${randomBytes(3).toString('hex')}`
  const objects = canaryObjects(namespace, image)
  const inNamespace = ['-n', namespace]
  try {
    say('starting two pods')
    // Server-side, because the namespace's own controller makes the same ServiceAccount at the same time.
    await k.run(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(objects.pods) })
    await k.run([...inNamespace, 'wait', 'pod', '--all', '--for=condition=Ready', '--timeout=60s'], {
      timeoutMs: 70_000,
    })
    const address = await k.run([...inNamespace, 'get', 'pod', 'server', '-o', 'jsonpath={.status.podIP}'])
    // Connects and then runs `true`: ends with 0 exactly when the connection was made. Debian's static wget crashes.
    const connect = ['/bin/busybox', 'nc', '-w', '1', address, '8080', '-e', '/bin/busybox', 'true']
    const reaches = () => k.ok([...inNamespace, 'exec', 'client', '--', ...connect])
    say('reaching one from the other')
    await waitFor('the canary to reach its server without a policy', reaches, 15_000)
    say('denying it')
    await k.run(['apply', '-f', '-'], { input: JSON.stringify(objects.policy) })
    await waitFor(
      'a NetworkPolicy to block the canary (the network plugin does not enforce policies)',
      async () => !(await reaches()),
      10_000,
    )
    // A broken server would look blocked as well: without the policy it must answer again.
    await k.run([...inNamespace, 'delete', 'networkpolicy', 'deny-egress'])
    await waitFor('the canary to reach its server again', reaches, 10_000)
  } finally {
    await k.run(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found'], { allowFailure: true })
  }
}
