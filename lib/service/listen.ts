import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { type AddressInfo, Server, type Socket } from 'node:net'
import type { Logger } from './log.ts'

export interface Listening {
  port: number
  /**
   * Takes no connection more and resolves when there is none left: those that answer nothing are closed now, the others
   * when the last byte of their answers is out, all that are left after `graceMs`.
   */
  close: (graceMs: number) => Promise<void>
}

/** The two ends of a connection's other side, by which a TLS socket and the TCP socket below it are known to be one. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** Listens on `host:port`; port 0 takes a free one. Rejects when it cannot be had. */
export const listen = async (
  server: HttpServer | HttpsServer,
  { host, port, log }: { host: string; port: number; log: Pick<Logger, 'warn'> },
): Promise<Listening> => {
  const sockets = new Map<string, Socket>()
  const answering = new Map<Socket, number>()
  let closing: Promise<void> | undefined

  const keep = (socket: Socket) => {
    const peer = peerOf(socket)
    sockets.set(peer, socket)
    socket.once('close', () => {
      if (sockets.get(peer) === socket) sockets.delete(peer)
    })
  }
  server.on('connection', keep)
  server.on('secureConnection', keep)
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    answering.set(socket, (answering.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const left = (answering.get(socket) ?? 1) - 1
      if (left > 0) answering.set(socket, left)
      else answering.delete(socket)
      if (closing && left === 0) socket.destroySoon()
    })
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  // What cannot be accepted now, for want of file descriptors, is tried again by whoever came.
  server.on('error', (error) => log.warn({ err: error }, 'a connection could not be taken'))
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs) => {
      closing ??= new Promise<void>((resolve) => {
        const late = setTimeout(() => {
          for (const socket of sockets.values()) socket.destroy()
        }, graceMs)
        // The close of Node's own HTTP servers cuts off answers that are written but not yet sent.
        Server.prototype.close.call(server, () => {
          clearTimeout(late)
          resolve()
        })
        for (const socket of sockets.values()) if (!answering.has(socket)) socket.destroy()
      })
      return closing
    },
  }
}
