import { expect, test } from 'vitest'
import type { AgentStatus } from './decide.ts'
import { changes } from './tell.ts'
import type { World } from './world.ts'

type Pair = [ready: string, frozen: string]
const conditions = ([ready, frozen]: Pair) => [
  { type: 'Ready', status: ready === 'Running' ? 'True' : 'False', reason: ready, message: ready },
  { type: 'Frozen', status: frozen === 'BreakerOpen' ? 'True' : 'False', reason: frozen, message: frozen },
]
const world = (before?: Pair) => ({ agent: { status: before && { conditions: conditions(before) } } }) as World
const told = (before: Pair | undefined, after: Pair) =>
  changes(world(before), { conditions: conditions(after) } as AgentStatus).map(
    ({ type, reason }) => `${type} ${reason}`,
  )

test.each<[string, Pair | undefined, Pair, string[]]>([
  ['a new agent', undefined, ['Starting', 'NotFrozen'], []],
  ['a new agent in trouble', undefined, ['NobodyOnCall', 'NotFrozen'], ['Warning NobodyOnCall']],
  ['a new agent that runs', ['Starting', 'NotFrozen'], ['Running', 'NotFrozen'], ['Normal Running']],
  ['a pod made again', ['Running', 'NotFrozen'], ['Starting', 'NotFrozen'], ['Normal Starting']],
  ['nothing new', ['Running', 'NotFrozen'], ['Running', 'NotFrozen'], []],
  ['a freeze, once', ['Running', 'NotFrozen'], ['AgentFrozen', 'BreakerOpen'], ['Warning BreakerOpen']],
  ['its end', ['AgentFrozen', 'BreakerOpen'], ['Running', 'NotFrozen'], ['Normal Unfrozen', 'Normal Running']],
  ['an end while suspended', ['AgentSuspended', 'BreakerOpen'], ['AgentSuspended', 'NotFrozen'], ['Normal Unfrozen']],
  ['trouble', ['Running', 'NotFrozen'], ['NobodyOnCall', 'NotFrozen'], ['Warning NobodyOnCall']],
])('%s', (_, before, after, expected) => {
  expect(told(before, after)).toEqual(expected)
})
