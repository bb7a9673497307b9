import type { Random } from '../../fuzz/random.ts'
import type { Fault, FaultProxy, Seen } from '../../harness/fault-proxy.ts'

/** A bad time between a sidecar and the ledger. */
export interface Episode {
  name: string
  /** Whether only silence tells that something is wrong, so that it is noticed by waiting. */
  silent: boolean
  /** Milliseconds it lasts. */
  lastsMs: number
  /** Brings it about; the returned function ends it. */
  begin: (proxy: FaultProxy) => () => void
}

const isAny = () => true
const isStream = ({ path }: Seen) => path === '/v1/remit'
const isReceipts = ({ path }: Seen) => path === '/v1/receipts'

/** Done to every request that fits, and to the stream as well, which has to be opened anew for that. */
const toAll = (match: (seen: Seen) => boolean, fault: Fault) => (proxy: FaultProxy) => {
  const end = proxy.inject({ match, fault })
  proxy.cutAll()
  return end
}
const toOpen = (act: (proxy: FaultProxy) => void) => (proxy: FaultProxy) => {
  act(proxy)
  return () => undefined
}
const away = (how: true | 'handshake') => (proxy: FaultProxy) => {
  proxy.away(how)
  proxy.cutAll()
  return () => proxy.away(false)
}

/** Every kind of bad time, in an order and with numbers of a seed. */
export const episodes = (random: Random): Episode[] => {
  const loud = (name: string, begin: Episode['begin']): Episode => ({ name, silent: false, lastsMs: 2_500, begin })
  const silent = (name: string, begin: Episode['begin']): Episode => ({ name, silent: true, lastsMs: 2_500, begin })
  const some = () => 1 + random.below(900)
  const all = [
    loud(
      'connections cut',
      toOpen((proxy) => proxy.cutAll()),
    ),
    loud('stream reset inside an event', toAll(isStream, { truncate: some(), ending: 'cut' })),
    loud('stream ended inside an event', toAll(isStream, { truncate: some(), ending: 'whole' })),
    loud('502 of a proxy', toAll(isAny, { answer: 502, body: '<html>Bad gateway</html>' })),
    loud('200 of somebody else', toAll(isAny, { answer: 200, body: '{}' })),
    loud(
      'acknowledgement of somebody else’s receipts',
      toAll(isReceipts, { answer: 200, body: { incarnation: '000000000000', seq: 1_000_000 } }),
    ),
    loud('receipts taken, their answer cut', toAll(isReceipts, { cut: 'after' })),
    loud('answers cut in a chunk', toAll(isAny, { truncate: 5, ending: 'cut' })),
    loud('receipts taken a sip at a time', toAll(isReceipts, { sipMs: 400 })),
    loud('network away', away(true)),
    loud('TLS cut in the handshake', away('handshake')),
    loud('every request 300 ms late', toAll(isAny, { delayMs: 300 })),
    silent(
      'connections half-open',
      toOpen((proxy) => proxy.forgetOpen()),
    ),
    silent(
      'connections silent',
      toOpen((proxy) => proxy.stallOpen()),
    ),
    silent('stream half-open inside an event', toAll(isStream, { forget: some() })),
    silent('answers held until they are whole', toAll(isAny, { buffer: true })),
    silent('no answer', toAll(isAny, { stall: true })),
    silent('answers a byte at a time', toAll(isReceipts, { dripMs: 700 })),
  ]
  return all
    .map((episode) => ({ episode, at: random.below(1_000_000) }))
    .sort((a, b) => a.at - b.at)
    .map(({ episode }) => episode)
}
