import { expect, test } from 'vitest'
import { createEventRecorder, type EventFields } from '../../lib/kube/events.ts'
import { list } from '../../lib/kube/objects.ts'
import { events, legacyEvents } from '../../lib/kube/resources.ts'
import { eventually } from '../harness/eventually.ts'
import { keepLog, makeConfigMap, useWorld } from './setup.ts'

const world = useWorld()
const failed: EventFields = { type: 'Warning', reason: 'ImagePull', action: 'Provision', note: 'no such image' }

const recorder = (client = world.server.client) => {
  const { log, lines } = keepLog()
  const common = { reportingController: 'remit.dev/test', reportingInstance: 'test-1', log, seriesMs: 150 }
  return { lines, ...createEventRecorder({ client, ...common }) }
}

const all = async () => (await list(world.server.client, events, { namespace: world.namespace })).items

test('an event is seen by kubectl; repeats are one event with a count', async () => {
  const object = await makeConfigMap(world.server.client, world.namespace, 'thing')
  const { record, stop } = recorder()
  for (let n = 0; n < 40; n++) record(object, failed)
  record(object, { ...failed, note: 'another image' })
  await eventually(async () => (await all()).some(({ series }) => series?.count === 40))
  for (let n = 0; n < 2; n++) record(object, failed)
  await stop()
  const told = await all()
  expect(told.map(({ note, series }) => [note, series?.count]).sort()).toEqual([
    ['another image', undefined],
    ['no such image', 42],
  ])
  expect(told[0]?.regarding).toMatchObject({ kind: 'ConfigMap', name: 'thing', uid: object.metadata.uid })
  const asKubectlSees = (await list(world.server.client, legacyEvents, { namespace: world.namespace })).items
  expect(asKubectlSees.map(({ reason }) => reason)).toEqual(['ImagePull', 'ImagePull'])
})

test('one object cannot flood: the rest is dropped and said so', async () => {
  const object = await makeConfigMap(world.server.client, world.namespace, 'loud')
  const { record, stop, lines } = recorder()
  for (let n = 0; n < 100; n++) record(object, { ...failed, note: `number ${n}` })
  await stop()
  expect((await all()).length).toBe(25)
  expect(lines.find(({ message }) => message.startsWith('events were not told'))?.fields).toEqual({ dropped: 75 })
})

test('an API server that is away or refuses costs the caller nothing', async () => {
  const object = await makeConfigMap(world.server.client, world.namespace, 'thing')
  world.proxy.inject({ match: ({ method }) => method === 'POST', fault: { stall: true }, times: 1 })
  world.proxy.inject({ match: ({ method }) => method === 'POST', fault: { answer: 403 } })
  const { record, stop, lines } = recorder(world.proxied)
  record(object, failed)
  record(object, { ...failed, note: 'second' })
  record(object, { ...failed, note: 'x'.repeat(5_000) })
  const began = Date.now()
  await stop(500)
  expect(Date.now() - began).toBeLessThan(2_000)
  expect(lines.some(({ message }) => message === 'event not written')).toBe(true)
  record(object, failed)
})
