import { checkOwnerGroup } from '../lib/core/policy-check.ts'
import { onCall } from '../lib/core/rotate.ts'
import type { Client } from '../lib/kube/client.ts'
import { createController, source } from '../lib/kube/controller.ts'
import type { KubeMetrics } from '../lib/kube/metrics.ts'
import type { Resource } from '../lib/kube/resources.ts'
import type { Logger } from '../lib/kube/types.ts'
import { sayProblems } from './agent/verdict.ts'
import { type Caches, kinds } from './caches.ts'
import { writeSimpleStatus } from './status.ts'

/** Keeps the status of each OwnerGroup at who is on call now, and looks again when the turn ends. */
export const createOwnerController = (options: {
  client: Client
  caches: Caches
  log: Logger
  metrics?: KubeMetrics
  now: () => number
}) =>
  createController({
    name: 'owners',
    log: options.log,
    metrics: options.metrics,
    sources: [source(options.caches.owners)],
    concurrency: 1,
    reconcile: async (key, { signal }) => {
      const group = options.caches.owners.cache.get(key)
      if (!group || group.metadata.deletionTimestamp) return undefined
      const now = options.now()
      const problems = checkOwnerGroup(group.spec)
      const duty = problems.length > 0 ? null : onCall(group.spec, now)
      const condition =
        problems.length > 0
          ? { type: 'Ready', status: 'False' as const, ...sayProblems(problems) }
          : duty
            ? {
                type: 'Ready',
                status: 'True' as const,
                reason: 'OnCall',
                message: `${duty.names.join(', ')} answers now.`,
              }
            : {
                type: 'Ready',
                status: 'False' as const,
                reason: 'NobodyOnCall',
                message: 'Nobody is on call: give it an owner, a rotation that has begun, or a fallback.',
              }
      const fields = {
        onCall: duty?.names.join(', '),
        onCallSince: duty?.since,
        onCallUntil: duty?.until,
        members: group.spec.members.map(({ name }) => name).join(', '),
      }
      await writeSimpleStatus(
        { client: options.client, kind: kinds.owners as unknown as Resource, signal, now },
        group,
        fields,
        condition,
      )
      return duty?.until
        ? { requeueAfterMs: Math.min(Math.max(Date.parse(duty.until) - now, 1), 3_600_000) }
        : undefined
    },
  })
