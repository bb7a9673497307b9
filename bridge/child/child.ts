import type { Hello } from './handshake.ts'
import type { Peer } from './peer.ts'

/** A greeted process. */
export interface Child {
  peer: Peer
  hello: Hello
}

/** There is no server process for this now; the message says why and, when that is known, until when. */
export class Unavailable extends Error {
  override name = 'Unavailable'
}
