import { expect, test } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { isWatch, useCachedWorld } from './cached-world.ts'
import { makeConfigMap } from './setup.ts'

const { world, start, write, drop, make, becomesTrue, changeThings } = useCachedWorld()

test('a list comes in pages, and changes follow', async () => {
  await Promise.all(Array.from({ length: 7 }, (_, n) => make(`old-${n}`)))
  const started = await start({ pageSize: 3 })
  const lists = world.proxy.seen.filter(({ watch }) => !watch)
  expect(lists.map(({ query }) => query.get('limit'))).toEqual(['3', '3', '3'])
  expect(started.informer.cache.size).toBe(7)
  await changeThings('new')
  await becomesTrue(started)
})

test('a page that expired between two is fetched again in one piece', async () => {
  await Promise.all(Array.from({ length: 5 }, (_, n) => make(`old-${n}`)))
  world.proxy.inject({
    match: ({ query }) => query.has('continue'),
    fault: { answer: 410, body: { kind: 'Status', code: 410, reason: 'Expired' } },
    times: 1,
  })
  await becomesTrue(await start({ pageSize: 2 }))
})

test('nothing is missed when the API server is killed and started again', async () => {
  const started = await start()
  await changeThings('before')
  await world.server.kill()
  await world.server.restart()
  await changeThings('after')
  await becomesTrue(started)
  expect(started.metrics.misses).toBe(0)
})

test('a watch that is cut goes on from the version it had, without a list', async () => {
  const started = await start()
  for (const round of ['a', 'b', 'c']) {
    await changeThings(round)
    world.proxy.cutAll()
    await drop(`${round}-3`)
  }
  await becomesTrue(started)
  expect(started.metrics.lists).toEqual(['start'])
})

test('a connection that is open and silent is given up', async () => {
  const started = await start({ inactivityMs: 1_000 })
  await eventually(() => world.proxy.seen.some(isWatch))
  await make('heard')
  await becomesTrue(started)
  world.proxy.stallOpen()
  await changeThings('unheard')
  await becomesTrue(started)
  expect(started.metrics.lists).toEqual(['start'])
})

test('an API server that stands still is waited for', async () => {
  const started = await start({ inactivityMs: 700 })
  world.server.freeze()
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  world.server.thaw()
  await changeThings('after')
  await becomesTrue(started)
})

test.each([
  ['as an answer', { answer: 410, body: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } }],
  [
    'inside the watch',
    { answer: 200, body: { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } } },
  ],
])('a version the server no longer has (%s) leads to a list', async (_how, fault) => {
  await make('there')
  world.proxy.inject({ match: isWatch, fault, times: 1 })
  const started = await start()
  await changeThings('after')
  await becomesTrue(started)
  expect(started.metrics.lists).toEqual(['start', 'expired'])
})

test('429 is waited out as long as the server asks, then the same watch is tried again', async () => {
  const answer = { answer: 429, headers: { 'retry-after': '1' }, body: 'Too many requests, please try again later.' }
  world.proxy.inject({ match: isWatch, fault: answer, times: 1 })
  const began = Date.now()
  const started = await start()
  await changeThings('after')
  await becomesTrue(started)
  expect(Date.now() - began).toBeGreaterThanOrEqual(1_000)
  expect(started.metrics.lists).toEqual(['start'])
  const [first, second] = world.proxy.seen.filter(isWatch)
  expect(second?.query.get('resourceVersion')).toBe(first?.query.get('resourceVersion'))
})

test('a list that fails is tried again', async () => {
  world.proxy.inject({ match: () => true, fault: { answer: 500, body: 'boom' }, times: 2 })
  world.proxy.inject({ match: () => true, fault: { cut: 'before' }, times: 2 })
  await make('there')
  await becomesTrue(await start())
})

test('bookmarks move a quiet watch along', async () => {
  const started = await start({ watchSeconds: 4, random: () => 0 })
  const from = () => world.proxy.seen.filter(isWatch).map(({ query }) => Number(query.get('resourceVersion')))
  let made = 0
  await eventually(
    async () => {
      // Elsewhere, so that this watch hears of it by bookmarks only; again and again, because the API server sends a
      // bookmark only of what changed after the watch was in place, and about 2 s before it ends it.
      await makeConfigMap(world.server.client, 'default', `elsewhere-${++made}`)
      return from().some((version) => version > (from()[0] as number))
    },
    { timeoutMs: 20_000, everyMs: 250, what: 'a watch that begins later than the first' },
  )
  expect(world.proxy.seen.find(isWatch)?.query.get('allowWatchBookmarks')).toBe('true')
  expect(started.metrics.lists).toEqual(['start'])
})

test('a bookmark of old that comes again does not bring the past back', async () => {
  let first: string | undefined
  const lines = (line: string) => {
    const { object } = JSON.parse(line)
    first ??= String(object.metadata.resourceVersion)
    return [line, JSON.stringify({ type: 'BOOKMARK', object: { ...object, metadata: { resourceVersion: first } } })]
  }
  world.proxy.inject({ match: isWatch, fault: { lines }, times: 1 })
  const started = await start()
  const versions: number[] = []
  started.informer.onChange(({ new: object }) => object && versions.push(Number(object.metadata.resourceVersion)))
  for (const value of ['a', 'b', 'c', 'd']) {
    if (value === 'a') await make('one')
    else await write('one', value)
  }
  await becomesTrue(started)
  world.proxy.cutAll()
  await make('two')
  await becomesTrue(started)
  expect(versions).toEqual(versions.toSorted((a, b) => a - b))
})

test('what a watch swallowed is found by the periodic list, counted and put right; what was in time is not', async () => {
  const loses = (line: string) => (line.includes('"name":"lost"') ? [] : [line])
  world.proxy.inject({ match: isWatch, fault: { lines: loses } })
  const started = await start({ relistMs: 700, missGraceMs: 200 })
  await make('lost')
  await changeThings('heard')
  await becomesTrue(started)
  await drop('lost')
  await becomesTrue(started)
  expect(started.metrics.misses).toBe(2)
  expect(started.lines.filter(({ message }) => message === 'the watch had missed changes').length).toBe(2)
})
