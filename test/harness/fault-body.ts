import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Exchange, Fault } from './fault-proxy.ts'

/** What is done to the body of an answer on its way. */
export type BodyFault =
  /** Each line of the answer becomes these lines: none, and it is lost on the way. */
  | { lines: (line: string) => string[] }
  /** So many bytes pass; then the connection is cut or reset, or the answer ends as if it were whole. */
  | { truncate: number; ending: 'cut' | 'reset' | 'whole' }
  /** So many bytes pass; then the exchange is forgotten, as by `forgetOpen`. */
  | { forget: number }
  /** Nothing passes before the answer is whole, its head neither; or before so many bytes of it are there. */
  | { buffer: true | number }
  /** A byte each so many milliseconds. */
  | { dripMs: number }
  /** A slow reader: takes a piece of the answer (64 KiB at most) each so many milliseconds. */
  | { slowMs: number }

const isOfBody = (fault: Fault | undefined): fault is BodyFault =>
  fault !== undefined && ['lines', 'truncate', 'forget', 'buffer', 'dripMs', 'slowMs'].some((kind) => kind in fault)

/** Passes the answer on, with backpressure, as the fault (if it is one of bodies) says. */
export const passBody = (
  answer: IncomingMessage,
  outgoing: ServerResponse,
  exchange: Exchange,
  given: Fault | undefined,
): void => {
  const fault = isOfBody(given) ? given : undefined
  const cut = () => {
    if (exchange.silent) return
    if (fault && 'ending' in fault && fault.ending === 'reset') outgoing.socket?.resetAndDestroy()
    else outgoing.socket?.destroy()
  }
  const head = () => {
    if (outgoing.headersSent || exchange.silent) return
    const { 'content-length': _, ...rest } = answer.headers
    outgoing.writeHead(answer.statusCode ?? 502, fault ? rest : answer.headers)
    outgoing.flushHeaders()
  }
  const pass = (chunk: Buffer | string) => {
    if (exchange.silent || outgoing.destroyed || chunk.length === 0) return
    head()
    if (outgoing.write(chunk)) return
    answer.pause()
    outgoing.once('drain', () => answer.resume())
  }
  const end = () => {
    if (exchange.silent) return
    head()
    outgoing.end()
  }

  let held: Buffer[] = []
  let bytes = 0
  let rest = ''
  let left = fault && 'truncate' in fault ? fault.truncate : fault && 'forget' in fault ? fault.forget : 0
  let drip: NodeJS.Timeout | undefined
  outgoing.once('close', () => clearInterval(drip))
  if (!(fault && 'buffer' in fault)) head()

  answer.on('data', (chunk: Buffer) => {
    if (!fault) return pass(chunk)
    if ('buffer' in fault) {
      held.push(chunk)
      bytes += chunk.length
      if (fault.buffer === true || bytes < fault.buffer) return
      for (const each of held) pass(each)
      held = []
      return
    }
    if ('slowMs' in fault) {
      pass(chunk)
      answer.pause()
      setTimeout(() => answer.resume(), fault.slowMs)
      return
    }
    if ('lines' in fault) {
      const whole = (rest + chunk.toString('utf8')).split('\n')
      rest = whole.pop() ?? ''
      return pass(
        whole
          .flatMap(fault.lines)
          .map((line) => `${line}\n`)
          .join(''),
      )
    }
    if ('dripMs' in fault) {
      held.push(chunk)
      drip ??= setInterval(() => {
        const all = Buffer.concat(held)
        held = [all.subarray(1)]
        pass(all.subarray(0, 1))
      }, fault.dripMs)
      return
    }
    if (left <= 0) return
    pass(chunk.subarray(0, left))
    left -= chunk.length
    if (left > 0) return
    if ('forget' in fault) Object.assign(exchange, { silent: true, forgotten: true })
    else if (fault.ending === 'whole') end()
    // What was passed has to reach the client before the end does.
    else setTimeout(cut, 5)
  })
  answer.on('end', () => {
    if (fault && 'dripMs' in fault) return
    if (fault && 'truncate' in fault && left <= 0) return
    for (const chunk of held) pass(chunk)
    if (rest) pass(rest)
    end()
  })
  answer.on('error', cut)
}
