import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'

/**
 * The way from an API server that has no network to the cluster's Services: an HTTP CONNECT proxy on a Unix socket, for
 * `--egress-selector-config-file`. Routes are of a Service's `IP:port` to a port of this machine.
 */
export const startTunnel = async (socketPath: string) => {
  const routes = new Map<string, number>()
  const open = new Set<Socket>()
  const server = createServer()
  server.on('connect', (request, client: Socket) => {
    const port = routes.get(request.url ?? '')
    if (port === undefined) return client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    const onward = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.pipe(onward).pipe(client)
    })
    for (const [one, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  return {
    routes,
    /** What the API server is told by its flag. */
    config: {
      apiVersion: 'apiserver.k8s.io/v1beta1',
      kind: 'EgressSelectorConfiguration',
      egressSelections: [
        {
          name: 'cluster',
          connection: { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName: socketPath } } },
        },
      ],
    },
    close: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
