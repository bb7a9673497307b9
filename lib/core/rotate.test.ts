import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OwnerGroupSpec, Rotation } from '../api/gen/types.ts'
import { checkOwnerGroup } from './owner-check.ts'
import { onCall } from './rotate.ts'

const group = (rotation: Partial<Rotation> = {}, change: Partial<OwnerGroupSpec> = {}): OwnerGroupSpec => ({
  members: [{ name: 'ana' }, { name: 'bo' }, { name: 'cy' }],
  onCall: {
    rotation: {
      timeZone: 'Europe/Berlin',
      start: '2026-10-05T09:00',
      every: { count: 1, unit: 'Week' },
      order: [['ana'], ['bo', 'cy']],
      ...rotation,
    },
  },
  fallback: ['cy'],
  ...change,
})
const at = (spec: OwnerGroupSpec, time: string) => onCall(spec, Date.parse(time))

describe('weekly turns', () => {
  test('a turn begins on its first millisecond and not before', () => {
    expect(at(group(), '2026-10-05T06:59:59.999Z')).toEqual({
      names: ['cy'],
      until: '2026-10-05T07:00:00Z',
      source: 'fallback',
    })
    expect(at(group(), '2026-10-05T07:00:00Z')).toEqual({
      names: ['ana'],
      since: '2026-10-05T07:00:00Z',
      until: '2026-10-12T07:00:00Z',
      source: 'rotation',
    })
    expect(at(group(), '2026-10-12T07:00:00Z')?.names).toEqual(['bo', 'cy'])
  })
  test("9 o'clock stays 9 o'clock when daylight saving ends (2026-10-25) and begins (2027-03-28)", () => {
    expect(at(group(), '2026-10-26T07:59:59Z')).toMatchObject({
      names: ['ana'],
      since: '2026-10-19T07:00:00Z',
      until: '2026-10-26T08:00:00Z',
    })
    expect(at(group(), '2026-10-26T08:00:00Z')).toMatchObject({ names: ['bo', 'cy'], since: '2026-10-26T08:00:00Z' })
    expect(at(group(), '2027-03-29T06:59:59Z')).toMatchObject({ until: '2027-03-29T07:00:00Z' })
    expect(at(group(), '2027-03-29T07:00:00Z')).toMatchObject({ since: '2027-03-29T07:00:00Z' })
  })
  test('a hand-over in the hour that does not exist comes an hour later, in the one that exists twice at its first', () => {
    const spring = group({ start: '2027-03-14T02:30', every: { unit: 'Week' } })
    expect(at(spring, '2027-03-28T01:00:00Z')).toMatchObject({
      since: '2027-03-21T01:30:00Z',
      until: '2027-03-28T01:30:00Z',
    })
    const autumn = group({ start: '2026-10-18T02:30', every: { unit: 'Week' } })
    expect(at(autumn, '2026-10-25T00:30:00Z')).toMatchObject({
      since: '2026-10-25T00:30:00Z',
      until: '2026-11-01T01:30:00Z',
    })
  })
  test('years later', () => {
    expect(at(group(), '2036-10-06T07:00:00Z')).toMatchObject({ since: '2036-10-06T07:00:00Z' })
  })
})

test('days and hours', () => {
  const days = group({ every: { count: 2, unit: 'Day' } })
  expect(at(days, '2026-10-25T12:00:00Z')).toMatchObject({
    names: ['ana'],
    since: '2026-10-25T08:00:00Z',
    until: '2026-10-27T08:00:00Z',
  })
  const hours = group({ every: { count: 12, unit: 'Hour' } })
  expect(at(hours, '2026-10-25T12:00:00Z')).toMatchObject({
    since: '2026-10-25T07:00:00Z',
    until: '2026-10-25T19:00:00Z',
  })
})

test('one group asked about many moments, back and forth, answers as if each were the first', () => {
  const spec = group()
  const moments = ['2026-10-20', '2026-10-01', '2026-10-27', '2026-10-20', '2026-12-01', '2026-10-04']
  for (const moment of moments) expect(at(spec, `${moment}T12:00:00Z`)).toEqual(at(group(), `${moment}T12:00:00Z`))
})

test('an owner is always on call; strangers never are', () => {
  expect(at(group({}, { onCall: { owner: 'bo' } }), '2020-01-01T00:00:00Z')).toEqual({ names: ['bo'], source: 'owner' })
  expect(at(group({}, { onCall: { owner: 'eve' } }), '2020-01-01T00:00:00Z')).toEqual({
    names: ['cy'],
    source: 'fallback',
  })
  expect(at(group({}, { onCall: { owner: 'eve' }, fallback: undefined }), '2020-01-01T00:00:00Z')).toBeNull()
  expect(at(group({ order: [['eve', 'ana'], ['eve']] }), '2026-10-05T12:00:00Z')?.names).toEqual(['ana'])
  expect(at(group({ order: [['eve', 'ana'], ['eve']] }), '2026-10-12T12:00:00Z')?.source).toBe('fallback')
})

test('every moment is in exactly one turn, and the turn says when it ends', () => {
  const zone = fc.constantFrom(
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'UTC',
    'Pacific/Apia',
  )
  const start = fc.constantFrom('2026-10-05T09:00', '2026-03-29T02:30', '2026-10-25T02:30', '2026-01-01T00:00')
  const every = fc.record({
    count: fc.integer({ min: 1, max: 4 }),
    unit: fc.constantFrom<'Hour' | 'Day' | 'Week'>('Hour', 'Day', 'Week'),
  })
  const moment = fc.integer({ min: Date.parse('2026-11-01T00:00:00Z'), max: Date.parse('2030-01-01T00:00:00Z') })
  fc.assert(
    fc.property(zone, start, every, moment, (timeZone, begin, turns, now) => {
      const spec = group({ timeZone, start: begin, every: turns, order: [['ana'], ['bo'], ['cy']] })
      const duty = onCall(spec, now)
      const since = Date.parse(duty?.since as string)
      const until = Date.parse(duty?.until as string)
      expect(since).toBeLessThanOrEqual(now)
      expect(until).toBeGreaterThan(now)
      expect(onCall(spec, until - 1)).toEqual(duty)
      expect(onCall(spec, since)).toEqual(duty)
      const order = ['ana', 'bo', 'cy']
      const after = order[(order.indexOf(duty?.names[0] as string) + 1) % 3]
      expect(onCall(spec, until)).toMatchObject({ names: [after], since: duty?.until })
    }),
  )
})

describe('checkOwnerGroup', () => {
  test('accepts what onCall can read', () => {
    expect(checkOwnerGroup(group())).toEqual([])
    expect(checkOwnerGroup(group({}, { onCall: { owner: 'ana' }, fallback: undefined }))).toEqual([])
  })
  const rotation = 'spec.onCall.rotation'
  test.each<[OwnerGroupSpec, string, string]>([
    [group({}, { members: [] }), 'spec.members', 'lists nobody'],
    [
      group({}, { members: [{ name: 'ana' }, { name: 'bo' }, { name: 'cy' }, { name: 'ana' }] }),
      'spec.members[3].name',
      'is used twice',
    ],
    [group({}, { onCall: {} }), 'spec.onCall', 'needs exactly one of owner and rotation'],
    [
      group({}, { onCall: { ...group().onCall, owner: 'ana' } }),
      'spec.onCall',
      'needs exactly one of owner and rotation',
    ],
    [group({}, { onCall: { owner: 'eve' } }), 'spec.onCall.owner', 'is not a member'],
    [group({}, { fallback: ['eve'] }), 'spec.fallback[0]', 'is not a member'],
    [group({}, { fallback: [] }), 'spec.fallback', 'lists nobody'],
    [group({ timeZone: 'Europe/Atlantis' }), `${rotation}.timeZone`, 'is not a time zone'],
    [group({ timeZone: '+01:00' }), `${rotation}.timeZone`, 'is not a time zone'],
    [group({ start: '2026-02-30T09:00' }), `${rotation}.start`, 'is not a local date and time'],
    [group({ start: '2026-10-05T09:00Z' }), `${rotation}.start`, 'is not a local date and time'],
    [group({ start: '2026-10-05' }), `${rotation}.start`, 'is not a local date and time'],
    [group({ every: { count: 0, unit: 'Week' } }), `${rotation}.every.count`, 'is not a count of turns'],
    [group({ every: { unit: 'Month' as 'Week' } }), `${rotation}.every.unit`, 'is not a unit'],
    [group({ order: [] }), `${rotation}.order`, 'lists nobody'],
    [group({ order: [['ana'], []] }), `${rotation}.order[1]`, 'lists nobody'],
    [group({ order: [['ana'], ['eve']] }), `${rotation}.order[1][0]`, 'is not a member'],
  ])('%#: %s', (spec, field, detail) => {
    expect(checkOwnerGroup(spec)).toContainEqual(expect.objectContaining({ field, detail, code: 'OwnerGroupInvalid' }))
  })
  test('what later versions read is refused', () => {
    const later = { ...group(), escalation: [], onCall: { pagerDuty: {} } } as unknown as OwnerGroupSpec
    const fields = checkOwnerGroup(later)
      .filter(({ code }) => code === 'PolicyUnsupported')
      .map(({ field }) => field)
    expect(fields).toEqual(['spec.escalation', 'spec.onCall.pagerDuty'])
  })
})
