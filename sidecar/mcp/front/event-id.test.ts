import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { type EventId, readEventId, writeEventId } from './event-id.ts'

const stream = randomUUID()

it.each<EventId>([
  { stream, at: 0 },
  { stream, at: 'end' },
  { stream, about: 7, at: 12 },
  { stream, about: '7', at: 12 },
  { stream, about: '\u0000'.repeat(256), at: 'end' },
  { stream, about: 'x.y\nz ✓', at: 3 },
])('an id says where its agent got to: %j', (id) => {
  const text = writeEventId(id)
  // It is a header when it comes back.
  expect(text).toMatch(/^[\x21-\x7e]+$/)
  expect(readEventId(text)).toEqual(id)
})

it.each([
  '',
  '7',
  `${stream}`,
  `${stream}.`,
  `${stream}.-1`,
  `${stream}.1234567890`,
  `${stream}.!!.1`,
  `${stream}.${Buffer.from('{}').toString('base64url')}.1`,
  `${stream}.${Buffer.from('1.5').toString('base64url')}.1`,
  `${stream}.MQ.1.1`,
  `${stream}.1\n`,
])('what is none of ours is none: %j', (text) => expect(readEventId(text)).toBeUndefined())
