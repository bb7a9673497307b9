import { expect, test } from 'vitest'
import { measure } from './measure.ts'

const AGENTS = 50

/** The short part of `npm run scale`: what does not depend on how busy the machine is. */
test('agents converge with few writes, hear of an edit, and a resync writes nothing', {
  timeout: 180_000,
}, async () => {
  const size = { agents: AGENTS, namespaces: 5, streams: 10, seed: 1 }
  const figures = await measure({ ...size, relistSeconds: 2, quietMs: 1_000, say: () => {} })
  expect(figures.problems).toEqual([])
  expect(figures.resync.writes).toEqual([])
  expect(figures.resync.reconciles).toBeGreaterThanOrEqual(AGENTS)
  expect(figures.resync.lists).toBeGreaterThanOrEqual(1)
  const converging = Object.fromEntries(figures.writes.operator)
  for (const once of ['create agentremits', 'create pods', 'patch networkpolicies', 'patch serviceaccounts'])
    expect(converging).toMatchObject({ [once]: AGENTS })
  expect(converging['patch agentidentities/status']).toBeLessThanOrEqual(3 * AGENTS)
  expect(figures.edit.told).toHaveLength(10)
  expect(Object.fromEntries(figures.edit.writes)).toEqual({
    'update agentremits': AGENTS,
    'patch agentidentities/status': AGENTS,
    'patch clusteragentpolicies/status': 1,
  })
})
