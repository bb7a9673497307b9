import type { ReceiptsAck } from '../../lib/api/ledger.ts'
import type { IncarnationBody, Receipt } from '../../lib/api/receipt.ts'
import { envelopeHash } from '../../lib/core/chain.ts'
import { UserError } from '../../lib/core/errors.ts'
import type { Logger } from '../../lib/service/log.ts'
import type { SidecarCaller } from '../auth/caller.ts'
import type { Incarnation } from '../store/index.ts'
import { LogFull } from '../store/log.ts'
import type { ReceiptStore } from '../store/store.ts'
import { keyedLock } from './lock.ts'
import { parseReceipts } from './parse.ts'
import type { Quota } from './quota.ts'
import { verifyChain } from './verify.ts'

export interface IntakePorts {
  store: ReceiptStore
  /** The UID of the agent that bears this name now, or bore it last; undefined when the ledger knows of none. */
  agentIdOf: (namespace: string, agent: string) => string | undefined
  /** Bytes by agent. */
  bytes: Quota
  /** Container starts by pod. */
  starts: Quota
  now: () => number
  log: Logger
}

const busy = (waitMs: number) => new UserError('LedgerBusy', { retryAfterSeconds: Math.ceil(waitMs / 1000) })
const forbidden = (detail: string) => new UserError('Forbidden', { detail })

/**
 * Takes one request of receipts from an authenticated sidecar. Everything is checked before anything is kept: a
 * refused request leaves nothing behind. Sending again what is known is answered as the first time.
 */
export const intake = (ports: IntakePorts) => {
  const { store, now, log } = ports
  const lock = keyedLock()

  /** A container start makes itself known: its key is bound to the pod and the agent its token names. */
  const register = (caller: SidecarCaller, receipt: Receipt): Incarnation => {
    const { envelope, body } = receipt
    if (envelope.seq !== 0 || body.kind !== 'incarnation') throw new UserError('ReceiptGap', { expectedSeq: 0 })
    const wrong = mismatch(body, caller)
    if (wrong) throw forbidden(wrong)
    const agentId = ports.agentIdOf(caller.namespace, caller.agent)
    if (agentId === undefined) throw new UserError('NoRemit')
    if (body.agent.id !== agentId || envelope.agent !== agentId)
      throw forbidden('the receipt is of another agent than the one of this name')
    const wait = ports.starts.take(caller.podUID, 1)
    if (wait) throw busy(wait)
    const { namespace, agent, podUID } = caller
    const before = store.index.ofPod(podUID)
    const { incarnation } = envelope
    if (before.length && !before.includes(body.previous?.incarnation ?? '')) {
      // A restarted container continues its spool and says so; one that does not is a second key beside the first.
      log.error(
        { namespace, agent, podUID, incarnation, before },
        'a pod shows a key that does not continue the one before',
      )
    } else log.info({ namespace, agent, podUID, incarnation }, 'container start registered')
    return {
      incarnation,
      namespace,
      agent,
      agentId,
      podUID,
      publicKey: body.publicKey,
      seq: -1,
      hash: '',
    }
  }

  const unknownOnly = (receipts: Receipt[], known: Incarnation): Receipt[] => {
    const fresh = receipts.findIndex((r) => r.envelope.seq > known.seq)
    for (const { envelope } of fresh < 0 ? receipts : receipts.slice(0, fresh)) {
      if (store.index.hash(envelope.incarnation, envelope.seq) !== envelopeHash(envelope)) {
        log.error(
          { incarnation: envelope.incarnation, seq: envelope.seq, agent: known.agent, namespace: known.namespace },
          'receipt fork',
        )
        throw new UserError('ReceiptFork')
      }
    }
    return fresh < 0 ? [] : receipts.slice(fresh)
  }

  const take = async (caller: SidecarCaller, receipts: Receipt[]): Promise<ReceiptsAck> => {
    await store.settled()
    const first = receipts[0] as Receipt
    if (receipts.some((r) => r.envelope.incarnation !== first.envelope.incarnation)) {
      throw new UserError('ReceiptInvalid', { detail: 'one request holds one incarnation' })
    }
    const known = store.index.incarnation(first.envelope.incarnation) ?? register(caller, first)
    if (known.podUID !== caller.podUID || known.namespace !== caller.namespace || known.agent !== caller.agent) {
      throw forbidden('the incarnation belongs to another pod')
    }
    const fresh = unknownOnly(receipts, known)
    if (!fresh.length) return { incarnation: known.incarnation, seq: known.seq }
    if (fresh[0]?.envelope.seq !== known.seq + 1) throw new UserError('ReceiptGap', { expectedSeq: known.seq + 1 })
    const foreign = fresh.find((r) => r.envelope.agent !== known.agentId || !speaksFor(r, known))
    if (foreign) throw forbidden(`${foreign.envelope.incarnation}-${foreign.envelope.seq} is of another agent`)
    const hashes = await verifyChain(fresh, known)
    const at = new Date(now()).toISOString()
    await store.add(
      fresh.map((receipt, i) => ({
        at,
        namespace: known.namespace,
        agent: known.agent,
        hash: hashes[i] as string,
        receipt,
      })),
    )
    return { incarnation: known.incarnation, seq: known.seq + fresh.length }
  }

  return async (caller: SidecarCaller, body: Buffer): Promise<ReceiptsAck> => {
    const wait = ports.bytes.take(`${caller.namespace}/${caller.agent}`, body.length)
    if (wait) throw busy(wait)
    const receipts = await parseReceipts(body)
    try {
      return await lock((receipts[0] as Receipt).envelope.incarnation, () => take(caller, receipts))
    } catch (error) {
      if (!(error instanceof LogFull)) throw error
      log.error({ err: error }, 'receipts not written')
      throw new UserError('LedgerFull')
    }
  }
}

const mismatch = ({ agent, podUID }: IncarnationBody, caller: SidecarCaller): string | undefined => {
  if (podUID !== caller.podUID) return 'the receipt is of another pod than the token'
  if (agent.name !== caller.agent || agent.namespace !== caller.namespace)
    return 'the receipt is of another agent than the token'
  return undefined
}

const speaksFor = ({ body }: Receipt, known: Incarnation): boolean =>
  body.kind !== 'intent' ||
  (body.agent.id === known.agentId && body.agent.name === known.agent && body.agent.namespace === known.namespace)
