import Big from 'big.js'
import type { Json } from './strict.ts'

/** How `min` and `max` are written in a policy: a plain decimal, as text so that no reader rounds it. */
export const isDecimalText = (text: string): boolean => /^-?(?:0|[1-9][0-9]{0,39})(?:\.[0-9]{1,40})?$/.test(text)

/** A policy's bound, compared exactly. */
export const bound = (text: string): Big => new Big(text)

/**
 * The decimal an argument stands for: a JSON number, or a text that is a plain decimal ("12.50"), since many tools take
 * money as text. A text other readers could take for another number is a problem, not a value: "+5", "05", "1e3",
 * " 5", "5,00", and "1.500", which is 1500 where a dot groups thousands.
 */
export function decimalOf(value: Json): { value: Big } | { problem: string } {
  if (typeof value === 'number') return { value: new Big(value) }
  if (typeof value !== 'string') return { problem: 'not a number' }
  if (!isDecimalText(value)) return { problem: 'not a plain decimal number' }
  if (/^-?[1-9][0-9]{0,2}\.[0-9]{3}$/.test(value)) return { problem: 'a number that can be read in two ways' }
  return { value: new Big(value) }
}
