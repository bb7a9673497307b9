import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { emitChartTemplate } from './chart.ts'
import { emitDocs } from './docs.ts'
import { copyPolicyBlock } from './policy-block.ts'
import { type Kind, named, type Schema } from './schema.ts'
import { emitTypes } from './types.ts'
import { emitValidators } from './validators.ts'

const kind = (name: string, spec: Schema): Kind => {
  const schema: Schema = { type: 'object', description: `A ${name}.`, required: ['spec'], properties: { spec } }
  return {
    file: `${name.toLowerCase()}s.yaml`,
    name,
    schema,
    crd: {
      metadata: { name: `${name.toLowerCase()}s.remit.dev` },
      spec: {
        scope: 'Namespaced',
        names: { kind: name, plural: `${name.toLowerCase()}s`, shortNames: [name[0] as string] },
        versions: [{ name: 'v1alpha1', additionalPrinterColumns: [], schema: { openAPIV3Schema: schema } }],
      },
    },
  }
}
const text: Schema = { type: 'string', description: 'A text.' }

describe('emitTypes', () => {
  it('makes an interface of a schema with a name and says it once', () => {
    const part: Schema = {
      type: 'object',
      title: 'Part',
      description: 'A part, */ even.',
      required: ['a'],
      properties: {
        a: text,
        b: { type: 'integer', default: 3, description: 'A number.' },
        c: { type: 'array', items: { type: 'string', enum: ['x', 'y'] } },
        d: { type: 'object', additionalProperties: { 'x-kubernetes-int-or-string': true } },
        e: { 'x-kubernetes-preserve-unknown-fields': true, title: 'Scalar' },
        f: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { g: text } },
      },
    }
    const spec: Schema = { type: 'object', title: 'ThingSpec', properties: { one: part, two: structuredClone(part) } }
    const code = emitTypes([kind('Thing', spec)])
    expect(code.split('interface Part')).toHaveLength(2)
    for (const line of [
      '/** A part, *\\/ even. */',
      '  a: string',
      '  /** A number. Default: 3. */',
      '  b?: number',
      "  c?: ('x' | 'y')[]",
      '  d?: Record<string, string | number>',
      '  e?: Scalar',
      '  f?: Record<string, unknown>',
      '  two?: Part',
      "export interface Thing extends KubeObject<'Thing'> {",
    ]) {
      expect(code).toContain(`${line}\n`)
    }
  })

  it('refuses one name for two shapes, and takes the same shape with another description', () => {
    const part = (more: Schema): Schema => ({ type: 'object', title: 'Part', properties: { a: text }, ...more })
    const both = (other: Schema) => kind('Thing', { type: 'object', properties: { x: part({}), y: part(other) } })
    expect(() => named([both({ required: ['a'] })])).toThrow('things.yaml: spec.y is called Part')
    expect([...named([both({ description: 'Elsewhere.' })]).keys()]).toEqual(['Part'])
  })

  it('keeps a field called description apart from the description of a field', () => {
    const part = (below: Schema): Schema => ({ type: 'object', title: 'Part', properties: { description: below } })
    const spec: Schema = { type: 'object', properties: { x: part(text), y: part({ type: 'integer' }) } }
    expect(() => named([kind('Thing', spec)])).toThrow('is called Part')
  })
})

describe('emitValidators', () => {
  it('needs no library at run time', () => {
    const spec: Schema = {
      type: 'object',
      properties: {
        set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string', maxLength: 3 } },
        at: { type: 'string', format: 'date-time' },
      },
    }
    expect(emitValidators([kind('Thing', spec)])).not.toMatch(/require\(|^import /m)
  })

  it('undoes the escapes of a CEL rule that is one regular expression, and leaves other rules to the API server', () => {
    const rules = [
      { rule: String.raw`self.matches('^\\d\t$')`, message: 'digits' },
      { rule: "self.size() > 1 && self.matches('x')", message: 'other' },
    ]
    const code = emitValidators([kind('Thing', { type: 'string', 'x-kubernetes-validations': rules })])
    const table = /export const messages[^=]*= (\{[\s\S]*?\n\})/.exec(code)?.[1] ?? ''
    expect(JSON.parse(table)).toEqual({ Thing: expect.objectContaining({ spec: { '^\\d\t$': 'digits' } }) })
  })

  it('does not guess what a list with two keys means', () => {
    const list: Schema = { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-map-keys': ['a', 'b'] }
    expect(() => emitValidators([kind('Thing', { type: 'object', properties: { list } })])).toThrow('the keys a, b')
  })
})

describe('emitChartTemplate', () => {
  it('keeps the CRD on uninstall and shows Helm no braces', () => {
    const original = kind('Thing', { type: 'object', description: 'Such as {{ .Values.x }}.' })
    const template = emitChartTemplate(original)
    expect(template).toContain('helm.sh/resource-policy: keep')
    expect(template).toContain('{{ "{{" }} .Values.x }}')
    const rendered = load(template.replaceAll('{{ "{{" }}', '{{')) as Kind['crd']
    expect(rendered.spec).toEqual(original.crd.spec)
  })
})

describe('emitDocs', () => {
  it('has a row for each field, what is required in bold, and a link to each type', () => {
    const part: Schema = { type: 'object', title: 'Part', description: 'A <part>.', properties: { a: text } }
    const spec: Schema = {
      type: 'object',
      title: 'ThingSpec',
      required: ['part'],
      properties: { part, size: { type: 'integer', minimum: 1, default: 2, description: 'Small | large.' } },
      'x-kubernetes-validations': [{ rule: 'true', message: 'only <one>', fieldPath: '.size' }],
    }
    const docs = emitDocs([kind('Thing', spec)])
    expect(docs).toContain('| **part** | [Part](#thing-specpart) | A &lt;part>. |')
    expect(docs).toContain('### Thing spec.part\n')
    expect(docs).toContain('| size | whole number, at least 1 | Small \\| large. Default: `2`. |')
    expect(docs).toContain('- `size`: only &lt;one>')
  })
})

describe('copyPolicyBlock', () => {
  const file = (inside: string) => `head of ${inside}\n  # <policy> note\n  ${inside}: 1\n  # </policy>\ntail\n`
  it('copies what is between the marks and nothing else', () => {
    expect(copyPolicyBlock(file('a'), file('b'))).toBe('head of b\n  # <policy> note\n  a: 1\n  # </policy>\ntail\n')
  })
  it('says so when the marks are gone', () => {
    expect(() => copyPolicyBlock(file('a'), 'spec: {}\n')).toThrow('has lost its "# <policy>" marks')
  })
})
