import { aliasOf } from '../../lib/core/alias.ts'
import { decimalOf } from '../../lib/core/decimal.ts'
import type { Json } from '../../lib/core/strict.ts'
import { type Expression, fraction } from './smt.ts'
import type { Node } from './tree.ts'

/** Values of variables as z3 gave them, and the texts found for it, by id. */
export interface Model {
  values: Map<string, Expression>
  texts: Map<string, string>
}

/** The variables of a tree, to be asked for. */
export function variablesOf(node: Node): string[] {
  const mine = ['k', 'b', 'r', 'd', 'n', 'o'].map((name) => `${node.id}${name}`)
  const members = [...node.members.values()].flatMap((member) => [member.alias, ...variablesOf(member.node)])
  return [...mine, ...members, ...node.slots.flatMap(variablesOf)]
}

/** The answer to (get-value ...). */
export const valuesOf = (pairs: Expression): Model['values'] =>
  new Map((pairs as [string, Expression][]).map(([name, value]) => [name, value]))

/** Lists longer than this are not written out. */
const MAX_LIST = 2_000

/** The JSON value that a model describes. */
export function jsonOf(node: Node, model: Model): Json {
  const value = (name: string): Expression => model.values.get(`${node.id}${name}`) as Expression
  switch (value('k')) {
    case 'Bool':
      return value('b') === 'true'
    case 'Number':
      return Number(decimalText(value('r')))
    case 'Text':
      return textValue(model.texts.get(node.id) ?? 'x', value('d'))
    case 'List':
      return listValue(node, model)
    case 'Object':
      return objectValue(node, model)
    default:
      return null
  }
}

/** A real as a decimal: to the letter where it is one of at most 20 places. */
export function decimalText(expression: Expression): string {
  const { numerator, denominator } = fraction(expression)
  const negative = numerator < 0n !== denominator < 0n && numerator !== 0n
  const [top, bottom] = [numerator < 0n ? -numerator : numerator, denominator < 0n ? -denominator : denominator]
  const scaled = ((top * 10n ** 20n) / bottom).toString().padStart(21, '0')
  const places = scaled.slice(-20).replace(/0+$/, '')
  return `${negative ? '-' : ''}${scaled.slice(0, -20)}${places === '' ? '' : `.${places}`}`
}

/** Text and number of a decimal are only loosely tied in the formulas: where they differ, the number is what was meant. */
function textValue(text: string, real: Expression): string {
  const decimal = decimalOf(text)
  if ('problem' in decimal) return text
  const meant = decimalText(real)
  return decimal.value.eq(meant) ? text : meant
}

function listValue(node: Node, model: Model): Json[] {
  const length = Math.min(Number(model.values.get(`${node.id}n`)), MAX_LIST)
  const elements = node.slots
    .filter((slot) => model.values.get(`${slot.id}k`) !== 'M')
    .map((slot) => jsonOf(slot, model))
  // More of what is there already changes nothing of what holds for every or for some element.
  while (elements.length < length) elements.push(elements[0] ?? 'x')
  return elements
}

function objectValue(node: Node, model: Model): Json {
  const object: Record<string, Json> = {}
  for (const [key, { node: member }] of node.members)
    if (model.values.get(`${member.id}k`) !== 'M') object[key] = jsonOf(member, model)
  for (const [key, { alias }] of node.members) {
    if (model.values.get(alias) !== 'true' || aliasOf(key, Object.keys(object)) !== undefined) continue
    const spelled = [key.toUpperCase(), key.toLowerCase(), key[0]?.toUpperCase() + key.slice(1)].find(
      (other) => aliasOf(key, [other]) !== undefined,
    )
    if (spelled !== undefined) object[spelled] = object[key] ?? 'x'
  }
  if (model.values.get(`${node.id}o`) === 'true') {
    let extra = 'extra'
    while (node.members.has(extra)) extra += '_'
    object[extra] = 'x'
  }
  return object
}
