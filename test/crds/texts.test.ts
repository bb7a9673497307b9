import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadKinds } from '../../tools/generators/load.ts'
import { isScalar, type Schema, walk } from '../../tools/generators/schema.ts'

const kinds = loadKinds(join(import.meta.dirname, '../../crds'))
const ours = (schema: Schema): [string, Schema][] => {
  const found: [string, Schema][] = []
  walk(schema, (each, path) => {
    if (!['', 'apiVersion', 'kind', 'metadata'].includes(path)) found.push([path, each])
  })
  return found
}
const wrong = (schema: Schema, isWrong: (schema: Schema, path: string) => boolean): string[] =>
  ours(schema).flatMap(([path, each]) => (isWrong(each, path) ? [path] : []))

describe.each(kinds)('$name', ({ name, schema, crd }) => {
  it('tells kubectl explain something about itself and every field', () => {
    expect(schema.description).toMatch(/^An? .*\.$/)
    const isElement = (path: string) => path.endsWith('[]') || path.endsWith('.*')
    expect(wrong(schema, ({ description }, path) => description === undefined && !isElement(path))).toEqual([])
    expect(crd.spec.versions[0]?.additionalPrinterColumns.filter(({ description }) => !description)).toEqual([])
  })

  it('ends each description as a sentence', () => {
    expect(wrong(schema, ({ description }) => description !== undefined && !/[.?"]$/.test(description))).toEqual([])
  })

  it('says of what is not built that using it is refused', () => {
    const half = ({ description = '' }: Schema) =>
      /not (enforced|built) yet/i.test(description) &&
      !/refused|^One .* (Not|not)|Not (enforced|built) yet\.$/.test(description)
    expect(wrong(schema, half)).toEqual([])
  })

  it('bounds every list, map and text, so that rules over them have a bounded cost', () => {
    const unbounded = (each: Schema) =>
      (each.type === 'array' && each.maxItems === undefined) ||
      (each.additionalProperties !== undefined && each.maxProperties === undefined) ||
      (each.type === 'string' && each.maxLength === undefined && each.enum === undefined && each.format !== 'date-time')
    expect(wrong(schema, unbounded)).toEqual([])
  })

  it('leaves no object open but a remit and what a server declares, and nothing untyped but scalars', () => {
    const open = (each: Schema) => each['x-kubernetes-preserve-unknown-fields'] === true && !isScalar(each)
    const foreign =
      name === 'AgentRemit'
        ? ['spec.remit']
        : schema.properties?.spec?.title === 'PolicySpec'
          ? ['spec.pins[].definition']
          : []
    expect(wrong(schema, open)).toEqual(foreign)
    const untyped = (each: Schema) => each.type === undefined && !isScalar(each) && !each['x-kubernetes-int-or-string']
    expect(wrong(schema, untyped)).toEqual([])
  })

  it('gives every rule a message that can stand alone', () => {
    const rules = ours({ type: 'object', properties: { root: schema } }).flatMap(
      ([, each]) => each['x-kubernetes-validations'] ?? [],
    )
    for (const { message } of rules) expect(message.length).toBeGreaterThan(20)
  })
})
