import fc from 'fast-check'
import { expect, test } from 'vitest'
import { glob } from '../../lib/core/glob.ts'
import { classesOf, SERVERS, TOOLS } from './names.ts'

test('every name is of a class that was found', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 5 })
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'z'), minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 4 }), fc.array(name, { minLength: 20 }), (globs, names) => {
      const classes = new Set(classesOf(globs, TOOLS)?.map(({ fits }) => fits.join()))
      for (const each of names) expect(classes).toContain(globs.map((one) => glob(one)(each)).join())
    }),
  )
})

test('a witness fits as said and is a name', () => {
  for (const { witness, fits } of classesOf(['get_*', '*', 'refund', '*_all'], TOOLS) ?? [])
    expect(['get_*', '*', 'refund', '*_all'].map((one) => glob(one)(witness))).toEqual(fits)
  expect(classesOf(['Billing', 'x-', 'b*'], SERVERS)?.map(({ witness }) => witness)).not.toContain('Billing')
})

test('too many kinds of names are not looked at', () => {
  const globs = Array.from({ length: 26 }, (_, index) => `*${String.fromCharCode(97 + index)}*`)
  expect(classesOf(globs, TOOLS)).toBeUndefined()
})
