import type { Client } from './client.ts'
import { type Clock, sleep, systemClock } from './clock.ts'
import { isAlreadyExists, isConflict } from './errors.ts'
import { create, find, update } from './objects.ts'
import { type Lease, leases } from './resources.ts'
import { microTimeOf } from './time.ts'
import type { Logger } from './types.ts'

export interface Term {
  /** The lease's `leaseTransitions`: grows with every term of anyone, so a later leader has a higher one. */
  epoch: number
  /** Aborts when the lease is lost or the process is to stop. Nothing may be written after. */
  signal: AbortSignal
}

export interface ElectionOptions {
  client: Client
  namespace: string
  name: string
  /** Unique to this process, not only to the pod: a container started again is somebody else. */
  identity: string
  /** The work of a leader. Must end soon after `term.signal` aborts; until it has ended the lease is not released. */
  lead: (term: Term) => Promise<void>
  log: Logger
  clock?: Clock
  random?: () => number
  /** How long others respect a lease that is not renewed, 15 s unless told. */
  leaseSeconds?: number
  /** A leader that could not renew for this long stops, before others may start; 10 s unless told. */
  renewDeadlineMs?: number
  /** Pause between tries, 2 s unless told. */
  retryMs?: number
}

/**
 * Contends for a Lease until `signal` aborts, running `lead` for every term won; then releases it, so that another takes
 * over at its next try. Others' clocks are never compared: a lease is free when it was seen unchanged for its whole
 * duration. Source: client-go `tools/leaderelection`.
 * @throws what `lead` throws, after the lease was released.
 */
export const elect = async (options: ElectionOptions, signal: AbortSignal): Promise<void> => {
  const { client, namespace, name, identity, log, clock = systemClock, random = Math.random } = options
  const { leaseSeconds = 15, renewDeadlineMs = 10_000, retryMs = 2_000 } = options
  if (renewDeadlineMs >= leaseSeconds * 1000) throw new Error('renewDeadlineMs must be below the lease duration')
  const target = { namespace, name }
  const fields = { lease: `${namespace}/${name}`, identity }
  let seen: { version: string | undefined; at: number } = { version: undefined, at: 0 }

  const specOf = (now: number) => ({
    holderIdentity: identity,
    leaseDurationSeconds: leaseSeconds,
    acquireTime: microTimeOf(now),
    renewTime: microTimeOf(now),
  })

  /** One try to become the holder; undefined when somebody else is. */
  const acquire = async (): Promise<Won | undefined> => {
    const now = clock.now()
    const requests = { signal, timeoutMs: retryMs * 2 }
    const current = await find(client, leases, target, requests)
    if (!current) {
      const spec = { ...specOf(now), leaseTransitions: firstEpoch(now) }
      return { at: now, lease: await create(client, leases, { metadata: target, spec }, requests) }
    }
    if (current.metadata.resourceVersion !== seen.version)
      seen = { version: current.metadata.resourceVersion, at: clock.now() }
    const { holderIdentity, leaseDurationSeconds = leaseSeconds, leaseTransitions = 0 } = current.spec ?? {}
    if (holderIdentity && clock.now() < seen.at + leaseDurationSeconds * 1000) return undefined
    // A term of its own also after ourselves: what an earlier term still has under way must not pass for this one's.
    const spec = { ...specOf(now), leaseTransitions: Math.max(leaseTransitions + 1, 1) }
    return { at: now, lease: await update(client, leases, { metadata: current.metadata, spec }, requests) }
  }

  /** Renews until the deadline passes without success, somebody else holds it, or the signal aborts. */
  const renew = async ({ lease, at }: Won, stop: AbortSignal): Promise<Lease | undefined> => {
    let held = lease
    let renewedAt = at
    const left = () => Math.max(0, renewedAt + renewDeadlineMs - clock.now())
    while (true) {
      await sleep(clock, Math.min(retryMs, left()), stop)
      if (stop.aborted) return held
      if (left() === 0) return undefined
      const started = clock.now()
      try {
        const spec = { ...held.spec, renewTime: microTimeOf(started) }
        const requests = { timeoutMs: Math.min(left(), retryMs * 2), signal: stop }
        held = await update(client, leases, { metadata: held.metadata, spec }, requests)
        renewedAt = started
      } catch (error) {
        if (stop.aborted) return held
        log.warn({ ...fields, err: error }, 'lease not renewed')
        const requests = { timeoutMs: Math.min(left(), retryMs), signal: stop }
        const current = await find(client, leases, target, requests).catch(() => held)
        if (current?.spec?.holderIdentity !== identity || epochOf(current) !== epochOf(held)) return undefined
        held = current
      }
    }
  }

  const release = async (held: Lease) => {
    const now = microTimeOf(clock.now())
    const write = async (lease: Lease) => {
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now }
      await update(client, leases, { metadata: lease.metadata, spec }, { timeoutMs: retryMs })
    }
    try {
      await write(held).catch(async (error) => {
        // The last renewal was cut by the signal but had arrived.
        const current = isConflict(error) ? await find(client, leases, target, { timeoutMs: retryMs }) : undefined
        if (current?.spec?.holderIdentity !== identity) throw error
        await write(current)
      })
      log.info(fields, 'lease released')
    } catch (error) {
      log.warn({ ...fields, err: error }, 'lease not released; it ends by itself')
    }
  }

  const serve = async (won: Won) => {
    const epoch = epochOf(won.lease)
    const over = new AbortController()
    const term = { epoch, signal: AbortSignal.any([signal, over.signal]) }
    log.info({ ...fields, epoch }, 'leading')
    const renewEnds = new AbortController()
    const renewal = renew(won, renewEnds.signal).then((held) => {
      if (!held) log.error({ ...fields, epoch }, 'lease lost')
      over.abort()
      return held
    })
    try {
      // Renewed until the work has really ended, also while it winds down.
      await options.lead(term)
    } finally {
      renewEnds.abort()
      const held = await renewal
      if (held) await release(held)
    }
  }

  while (!signal.aborted) {
    const won = await acquire().catch((error) => {
      const raced = isConflict(error) || isAlreadyExists(error)
      if (!signal.aborted) log[raced ? 'debug' : 'warn']({ ...fields, err: error }, 'lease not acquired')
      return undefined
    })
    if (won) await serve(won)
    else await sleep(clock, retryMs * (1 + 0.2 * random()), signal)
  }
}

interface Won {
  lease: Lease
  /** Before the write was sent, so that the deadline counts from no later than others' view of it. */
  at: number
}

const epochOf = (lease: Lease): number => lease.spec?.leaseTransitions ?? 0

/**
 * A new Lease counts from the minutes since 1970, not from 0: who deletes the Lease must not make a later leader's epoch
 * a lower one. Fits an int32 until the year 6053.
 */
export const firstEpoch = (now: number): number => Math.floor(now / 60_000)
