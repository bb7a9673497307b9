import type { ServerResponse } from 'node:http'

/** Writes that wait for the reader, so that no answer is held in memory as a whole. */
export interface Writer {
  /** False once the reader is gone. */
  write(text: string): Promise<boolean>
  gone(): boolean
}

/** `patienceMs`: a reader that takes nothing for so long is dropped; one that takes a little at a time is waited for. */
export const writerOf = (response: ServerResponse, patienceMs = 30_000): Writer => {
  let closed = false
  response.once('close', () => {
    closed = true
  })
  const drained = () =>
    new Promise<void>((resolve) => {
      const drop = () => response.destroy()
      const done = () => {
        response.setTimeout(0, drop)
        response.off('timeout', drop)
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      // The socket's own clock starts anew with every byte the kernel takes.
      response.setTimeout(patienceMs, drop)
      response.on('drain', done)
      response.on('close', done)
    })
  return {
    gone: () => closed,
    write: async (text) => {
      if (closed) return false
      if (!response.write(text)) await drained()
      return !closed
    },
  }
}
