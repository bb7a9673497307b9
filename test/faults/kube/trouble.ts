import type { Random } from '../../fuzz/random.ts'
import type { Fault, FaultProxy, Seen } from '../../harness/fault-proxy.ts'

/** One bad moment; `begin` brings it about and returns what is left to undo once it is over. */
export interface Trouble {
  name: string
  begin: (proxy: FaultProxy) => () => void
}

const status = (code: number, reason: string, details?: object) => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  reason,
  message: reason,
  details,
})
const expired = status(410, 'Expired')

const isWatch = ({ watch }: Seen) => watch
const isAny = () => true
const isWrite = ({ method }: Seen) => method !== 'GET'
const isRead = ({ method, watch }: Seen) => method === 'GET' && !watch

const versionOf = (line: string): string | undefined => /"resourceVersion":"(\d+)"/.exec(line)?.[1]
const bookmark = (version: string) =>
  `{"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"${version}"}}}`

/** Bookmarks of what was brought a while ago come after what is newer, and again. */
const oldBookmarks = (random: Random): Fault => {
  const versions: string[] = []
  return {
    lines: (line) => {
      const version = versionOf(line)
      if (version) versions.push(version)
      if (versions.length > 200) versions.shift()
      if (versions.length < 2 || random.chance(0.7)) return [line]
      const old = bookmark(random.pick(versions))
      return random.chance(0.5) ? [line, old] : [line, old, old]
    },
  }
}

/** The next bad moment. What concerns one request waits for the next that fits. */
export const nextTrouble = (random: Random): Trouble => {
  const open = (name: string, begin: (proxy: FaultProxy) => void): Trouble => ({
    name,
    begin: (proxy) => {
      begin(proxy)
      return () => undefined
    },
  })
  const once = (name: string, match: (seen: Seen) => boolean, fault: Fault): Trouble => ({
    name,
    begin: (proxy) => proxy.inject({ match, fault, times: 1 }),
  })
  const some = () => 1 + random.below(4_000)
  return random.weighted<Trouble>([
    [8, () => open('every connection cut', (proxy) => proxy.cutAll())],
    [3, () => open('open connections silent', (proxy) => proxy.stallOpen())],
    [3, () => open('open connections half-open', (proxy) => proxy.forgetOpen())],
    [
      2,
      () => ({
        name: 'network away',
        begin: (proxy) => {
          proxy.away(random.pick([true, 'handshake'] as const))
          const back = setTimeout(() => proxy.away(false), 50 + random.below(400))
          return () => {
            clearTimeout(back)
            proxy.away(false)
          }
        },
      }),
    ],
    [2, () => once('410 to a watch', isWatch, { answer: 410, body: expired })],
    [2, () => once('410 inside a watch', isWatch, { answer: 200, body: { type: 'ERROR', object: expired } })],
    [1, () => once('410 to a list', isRead, { answer: 410, body: expired })],
    [
      2,
      () =>
        once('429 with Retry-After', isAny, {
          answer: 429,
          headers: { 'retry-after': '1' },
          body: 'Too many requests',
        }),
    ],
    [2, () => once('429 without Retry-After', isAny, { answer: 429, body: 'Too many requests' })],
    [2, () => once('500', isAny, { answer: 500, body: status(500, 'InternalError') })],
    [
      1,
      () =>
        once('503 that asks to wait', isAny, {
          answer: 503,
          body: status(503, 'ServiceUnavailable', { retryAfterSeconds: 1 }),
        }),
    ],
    [1, () => once('not JSON', isWatch, { answer: 200, body: '<html>Sign in to continue</html>\n' })],
    [3, () => once('watch cut in a chunk', isWatch, { truncate: some(), ending: 'cut' })],
    [2, () => once('watch ended in a line', isWatch, { truncate: some(), ending: 'whole' })],
    [2, () => once('watch half-open', isWatch, { forget: some() })],
    [1, () => once('list cut in a chunk', isRead, { truncate: some(), ending: 'cut' })],
    [1, () => once('list ended too early', isRead, { truncate: some(), ending: 'whole' })],
    [3, () => once('bookmarks of old, and twice', isWatch, oldBookmarks(random))],
    [2, () => once('every line twice', isWatch, { lines: (line) => [line, line] })],
    [1, () => once('no answer', isAny, { stall: true })],
    [2, () => once('write cut before it', isWrite, { cut: 'before' })],
    [2, () => once('write cut after it', isWrite, { cut: 'after' })],
    [3, () => once('delay', isAny, { delayMs: 20 + random.below(300) })],
    [1, () => once('answer of a watch held back', isWatch, { buffer: true })],
  ])
}
