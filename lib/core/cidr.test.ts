import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inNetwork, type Network, parseNetwork } from './cidr.ts'

const network = (text: string): Network => {
  const parsed = parseNetwork(text)
  if ('problem' in parsed) throw new Error(parsed.problem)
  return parsed
}

describe('networks', () => {
  test.each(['0.0.0.0/0', '10.0.0.0/8', '10.0.0.128/25', '192.0.2.1/32', '::/0', '2001:db8::/32', '::1/128'])(
    '%s',
    (text) => {
      expect(network(text)).toBeTruthy()
    },
  )
  test.each([
    ['10.0.0.0', 'is not a network'],
    ['10.0.0.0/33', 'is not a network'],
    ['10.0.0.0/08', 'is not a network'],
    ['010.0.0.0/8', 'is not a network'],
    ['10/8', 'is not a network'],
    ['2001:db8::/129', 'is not a network'],
    ['fe80::%1/64', 'is not a network'],
    ['10.0.0.1/8', 'has bits beyond its length'],
    ['2001:db8::1/32', 'has bits beyond its length'],
    ['::ffff:10.0.0.0/104', 'is a network of addresses that stand for IPv4 ones'],
  ])('%s %s', (text, problem) => {
    expect(parseNetwork(text)).toMatchObject({ problem, fix: expect.stringMatching(/\.$/) })
  })
})

test.each(['::ffff:10.0.0.1', '::ffff:a00:1', '::10.0.0.1', '64:ff9b::10.0.0.1', '2002:a00:1::', '2001:0:a00:1::'])(
  '%s has an IPv4 address in it',
  (text) => {
    expect(inNetwork(text, network('10.0.0.0/8'))).toMatchObject({ problem: expect.any(String) })
  },
)

test('an address is in a network exactly when its leading bits are the same', () => {
  const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
  const number = (parts: number[]) => parts.reduce((sum, part) => sum * 256 + part, 0)
  fc.assert(
    fc.property(octets, octets, fc.nat(32), (base, address, length) => {
      const size = 2 ** (32 - length)
      const first = Math.floor(number(base) / size) * size
      const text = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')
      const inside = Math.floor(number(address) / size) * size === first
      expect(inNetwork(address.join('.'), network(`${text}/${length}`))).toBe(inside)
    }),
  )
})

test('what is no address of either family is an error, never outside', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-fx.:%/ ]{0,20}$/), (text) => {
      fc.pre(isIP(text) === 0 || text.includes('%'))
      expect(inNetwork(text, network('10.0.0.0/8'))).toMatchObject({ problem: 'not a plain IP address' })
    }),
    { numRuns: 500 },
  )
})
