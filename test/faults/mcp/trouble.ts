import type { Random } from '../../fuzz/random.ts'
import type { Fault, FaultProxy } from '../../harness/fault-proxy.ts'

/** Times by name. */
export type Tally = Record<string, number>
export const count = (tally: Tally, name: string): void => {
  tally[name] = (tally[name] ?? 0) + 1
}

const PAGE = { body: '<html>Bad day</html>', headers: { 'content-type': 'text/html' } }

/** What may become of one request, by weight. Each is drawn anew: how much passes, and how long things take. */
const ofRequests = (random: Random): [weight: number, name: string, fault: Fault][] => {
  const bytes = () => 1 + random.below(random.pick([40, 300, 4_000]))
  return [
    [4, 'cut before the server saw it', { cut: 'before' }],
    [4, 'cut instead of the answer', { cut: 'after' }],
    [6, 'reset inside the answer', { truncate: bytes(), ending: 'reset' }],
    [4, 'cut inside the answer', { truncate: bytes(), ending: 'cut' }],
    [2, 'answer ended too early', { truncate: bytes(), ending: 'whole' }],
    [1, 'no answer', { stall: true }],
    [1, 'half-open inside the answer', { forget: bytes() }],
    [3, 'half-closed', { halfClose: true }],
    [6, 'late', { delayMs: random.below(300) }],
    [3, 'held back until it is whole', { buffer: true }],
    [3, 'held back in pieces', { buffer: 1_024 << random.below(5) }],
    [2, 'taken a sip at a time', { sipMs: 20 }],
    [3, 'slow reader', { slowMs: 30 }],
    [2, '429', { answer: 429, headers: { 'retry-after': '1' } }],
    [2, '500', { answer: 500, ...PAGE }],
    [2, '502', { answer: 502, body: '', headers: { 'content-length': '0' } }],
    [2, '503', { answer: 503, headers: { 'retry-after': '1' } }],
    [4, '502 of what was done', { answer: 502, ...PAGE, after: true }],
    [2, '500 of what was done', { answer: 500, after: true }],
  ]
}

export interface TroubleOptions {
  /** Streams of choices: which faults requests meet, which requests those are, and what all connections do. */
  randoms: [faults: Random, requests: Random, connections: Random]
  /** Of the requests, how many one fault is done to. */
  share: number
  /** On average between two that concern every connection, milliseconds. */
  everyMs: number
  thrown: Tally
}

/** Lets a proxy do to requests and connections what comes up, until it is ended. */
export const beginTrouble = (
  proxy: FaultProxy,
  { randoms: [faults, requests, connections], share, everyMs, thrown }: TroubleOptions,
): (() => void) => {
  // One rule that is drawn anew whenever it has been used, so that each fault is as likely at every request.
  let end = () => {}
  let isOver = false
  const next = () => {
    end()
    if (isOver) return
    const [name, fault] = faults.weighted(
      ofRequests(faults).map(([weight, ...of]) => [weight, () => of as [string, Fault]] as const),
    )
    let used = false
    end = proxy.inject({
      match: () => {
        if (used || !requests.chance(share)) return false
        used = true
        count(thrown, name)
        setImmediate(next)
        return true
      },
      fault,
      times: 1,
    })
  }
  next()
  let back: NodeJS.Timeout | undefined
  const all: [name: string, begin: () => void][] = [
    ['every connection cut', proxy.cutAll],
    ['every connection silent', proxy.stallOpen],
    ['every connection half-open', proxy.forgetOpen],
    [
      'network away',
      () => {
        proxy.away(true)
        back = setTimeout(() => proxy.away(false), 100 + connections.below(300))
      },
    ],
  ]
  let timer: NodeJS.Timeout | undefined
  const later = () => {
    timer = setTimeout(
      () => {
        const [name, begin] = connections.pick(all)
        count(thrown, name)
        begin()
        later()
      },
      everyMs / 2 + connections.below(everyMs),
    )
  }
  later()
  return () => {
    clearTimeout(timer)
    clearTimeout(back)
    proxy.away(false)
    isOver = true
    end()
  }
}
