import { expect, test } from 'vitest'
import { measure } from './measure.ts'

const AGENTS = 50

/** The short part of `npm run scale`: what does not depend on how busy the machine is. */
test('agents converge with few writes, hear of an edit, and a resync writes nothing', {
  timeout: 120_000,
}, async () => {
  const figures = await measure({
    agents: AGENTS,
    namespaces: 5,
    streams: 10,
    seed: 1,
    relistSeconds: 5,
    say: () => {},
  })
  expect(figures.problems).toEqual([])
  expect(figures.resync.writes).toEqual([])
  expect(figures.resync.reconciles).toBeGreaterThanOrEqual(AGENTS)
  expect(figures.resync.lists).toBeGreaterThanOrEqual(1)
  expect(figures.edit.told).toHaveLength(10)
  expect(figures.edit.writes).toEqual([
    ['update agentremits', AGENTS],
    ['patch agentidentities/status', AGENTS],
  ])
})
