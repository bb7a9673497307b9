import { expect, test } from 'vitest'
import { firstStatusAt } from './first-status.ts'
import type { World } from './world.ts'

const MADE = '2026-11-21T02:00:00Z'
const made = Date.parse(MADE)
const world = (ms: number, told: string[] = [], pods = [MADE as string | undefined]) =>
  ({
    now: made + ms,
    agent: { status: { conditions: told.map((type) => ({ type })) } },
    pods: pods.map((creationTimestamp) => ({ metadata: { creationTimestamp } })),
  }) as World

test.each<[string, World, string, number | undefined]>([
  ['a pod made a moment ago', world(400), 'Starting', made + 3_000],
  ['by a clock that is a little behind', world(-400), 'Starting', made + 3_000],
  ['when it is due', world(3_000), 'Starting', undefined],
  ['later', world(60_000), 'Starting', undefined],
  ['by a clock that is far behind', world(-60_000), 'Starting', undefined],
  ['that runs', world(400), 'Running', undefined],
  ['that cannot start', world(400), 'ImageUnavailable', undefined],
  ['told of before', world(400, ['Ready']), 'Starting', undefined],
  ['no pod yet', world(400, [], []), 'Starting', undefined],
  ['a pod that nobody knows when it was made', world(400, [], [undefined]), 'Starting', undefined],
])('%s', (_, seen, reason, due) => {
  expect(firstStatusAt(seen, { stance: 'run', phase: 'Pending', reason, message: '' })).toBe(due)
})
