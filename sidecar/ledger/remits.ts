import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { createParser } from 'eventsource-parser'
import type { Remit, SignedRemit } from '../../lib/api/remit.ts'
import { type Anchor, verifyRemit } from '../../lib/core/jws.ts'
import { readIfThere, replaceFile } from '../../lib/service/files.ts'
import type { Logger } from '../../lib/service/log.ts'
import { pause } from '../../lib/service/pause.ts'
import type { Authority } from '../authority.ts'
import type { LedgerClient } from './client.ts'

export interface RemitSourceOptions {
  ledger: Pick<LedgerClient, 'openRemits'>
  authority: Pick<Authority, 'accept' | 'current'>
  /** Of the pod: who may sign the first remit. */
  anchors: Anchor[]
  expect: { cluster: string; agentId: string }
  dir: string
  signal: AbortSignal
  log: Logger
}

const FILE = 'remit.json'
const MAX_EVENT = 2 * 1024 * 1024
const MIN_BACKOFF_MS = 200
const MAX_BACKOFF_MS = 5_000

/** What a restarted container goes on with: the remit, and the keys it was accepted by. */
interface Saved {
  signed: SignedRemit
  anchors: Anchor[]
}

/**
 * Takes remits from the ledger's stream for ever. Each is verified against the anchors of the pod or, once a remit
 * named others, those; the last accepted one is kept in `dir`, so that a container that starts again while the ledger
 * is away works on. `done` resolves after `signal` aborts.
 */
export const startRemitSource = (options: RemitSourceOptions): { done: Promise<void> } => {
  const { authority, dir, signal, log } = options
  let anchors = options.anchors

  const take = (signed: SignedRemit, accepted: Anchor[]): Remit => {
    const remit = verifyRemit(signed, accepted, options.expect)
    if (authority.accept(remit)) {
      anchors = remit.anchors?.length ? remit.anchors : accepted
      try {
        replaceFile(join(dir, FILE), JSON.stringify({ signed, anchors: accepted } satisfies Saved))
      } catch (error) {
        log.error({ err: error }, 'the new remit is in force but could not be kept for a restart')
      }
    }
    return remit
  }

  const saved = readIfThere(join(dir, FILE))
  if (saved !== undefined) {
    try {
      const { signed, anchors: accepted } = JSON.parse(saved) as Saved
      take(signed, accepted)
    } catch (error) {
      log.warn({ err: error }, 'the remit of the run before cannot be used')
    }
  }

  const follow = async (): Promise<void> => {
    const response = await options.ledger.openRemits(signal)
    const decoder = new StringDecoder('utf8')
    const parser = createParser({
      maxBufferSize: MAX_EVENT,
      onEvent: ({ event, data }) => {
        if (event !== 'remit') return
        try {
          take(JSON.parse(data) as SignedRemit, anchors)
        } catch (error) {
          log.error({ err: error }, 'a remit was refused; the one before stays in force')
        }
      },
    })
    for await (const chunk of response) parser.feed(decoder.write(chunk as Buffer))
    throw new Error('the stream of remits ended')
  }

  return {
    done: (async () => {
      let backoff = MIN_BACKOFF_MS
      while (!signal.aborted) {
        const began = Date.now()
        await follow().catch((error: unknown) => {
          if (!signal.aborted) log.warn({ err: error }, 'no remits from the ledger; the last one stays in force')
        })
        if (Date.now() - began > MAX_BACKOFF_MS) backoff = MIN_BACKOFF_MS
        await pause(backoff * (0.5 + Math.random() / 2), signal)
        backoff = Math.min(MAX_BACKOFF_MS, backoff * 2)
      }
    })(),
  }
}
