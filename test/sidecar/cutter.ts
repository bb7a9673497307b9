import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'
import type { World } from './world.ts'

/** A way to a port of this machine whose connections can all be cut at once. */
export const startCutter = async (world: World, port: number): Promise<{ port: number; cut: () => void }> => {
  const sockets = new Set<Socket>()
  const server = createServer((here) => {
    const there = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [here, there],
      [there, here],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.once('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  world.onClose(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        cut()
      }),
  )
  return { port: (server.address() as AddressInfo).port, cut }
}
