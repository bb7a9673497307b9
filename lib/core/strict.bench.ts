import { test } from 'vitest'
import { parseStrict } from './strict.ts'

const call = (items: number): Buffer =>
  Buffer.from(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 17,
      method: 'tools/call',
      params: {
        name: 'refund',
        arguments: {
          amount: 12.5,
          currency: 'EUR',
          memo: 'Späte Lieferung, "two days"\n',
          lines: Array.from({ length: items }, (_, i) => ({ id: `INV-${i}`, price: i * 1.25, ok: i % 2 === 0 })),
        },
      },
    }),
  )

test.for([
  ['2 KB', call(40)],
  ['1 MB', call(22_000)],
] as const)('%s', async ([, bytes], { bench }) => {
  await bench.compare(
    bench('parseStrict', () => {
      parseStrict(bytes, { maxNodes: 1_000_000 })
    }),
    bench('JSON.parse', () => {
      JSON.parse(bytes.toString('utf8'))
    }),
  )
})
