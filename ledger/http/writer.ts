import type { ServerResponse } from 'node:http'

/** Writes that wait for the reader, so that no answer is held in memory as a whole. */
export interface Writer {
  /** False once the reader is gone. */
  write(text: string): Promise<boolean>
  gone(): boolean
}

export const writerOf = (response: ServerResponse): Writer => {
  let closed = false
  response.once('close', () => {
    closed = true
  })
  const drained = () =>
    new Promise<void>((resolve) => {
      const done = () => {
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
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
