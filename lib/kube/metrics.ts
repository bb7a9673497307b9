import { type Attributes, type Meter, metrics } from '@opentelemetry/api'

/** The instruments of one process. Made when a runtime starts, because a meter taken before the SDK is set up stays mute. */
export interface KubeMetrics {
  listed(attributes: Attributes): void
  watchEnded(attributes: Attributes): void
  missed(count: number, attributes: Attributes): void
  reconciled(seconds: number, attributes: Attributes): void
  queued(seconds: number, attributes: Attributes): void
}

export const createMetrics = (meter: Meter = metrics.getMeter('remit/lib/kube')): KubeMetrics => {
  const lists = meter.createCounter('kube.cache.lists', { description: 'Full lists, by kind and why' })
  const watches = meter.createCounter('kube.cache.watch_ends', { description: 'Watches that ended, by kind and how' })
  const misses = meter.createCounter('kube.cache.misses', {
    description: 'Objects the periodic list found different from the cache: events a watch never brought',
  })
  const reconciles = meter.createHistogram('kube.controller.reconcile.duration', {
    unit: 's',
    description: 'Time of one reconcile, by controller and result',
  })
  const waits = meter.createHistogram('kube.controller.queue.duration', {
    unit: 's',
    description: 'Time a key was ready before a worker took it',
  })
  return {
    listed: (attributes) => lists.add(1, attributes),
    watchEnded: (attributes) => watches.add(1, attributes),
    missed: (count, attributes) => misses.add(count, attributes),
    reconciled: (seconds, attributes) => reconciles.record(seconds, attributes),
    queued: (seconds, attributes) => waits.record(seconds, attributes),
  }
}
