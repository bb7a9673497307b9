import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lines } from './lines.ts'

const collect = async (chunks: Buffer[]) => {
  const out: string[] = []
  for await (const line of lines(
    (async function* () {
      yield* chunks
    })(),
  ))
    out.push(line)
  return out
}

test('lines survive every chunk boundary, also inside a character', async () => {
  const line = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => JSON.stringify({ text }))
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat(40)), async (expected, cuts) => {
      const bytes = Buffer.from(expected.map((text) => `${text}\n`).join(''))
      const chunks: Buffer[] = []
      let at = 0
      for (const cut of cuts) {
        chunks.push(bytes.subarray(at, at + cut))
        at += cut
      }
      chunks.push(bytes.subarray(at))
      expect(await collect(chunks)).toEqual(expected)
    }),
  )
})

test('a line the connection cut is dropped, empty lines are not events', async () => {
  expect(await collect([Buffer.from('{"a":1}\n\n{"b":2}\n{"c"')])).toEqual(['{"a":1}', '{"b":2}'])
})
