import { describe, expect, it } from 'vitest'
import { plainError, readResult } from './answer-form.ts'

const asked = {
  sampling: { method: 'sampling/createMessage', params: {} },
  form: {
    method: 'elicitation/create',
    params: { requestedSchema: { type: 'object', properties: { name: {}, tags: {} } } },
  },
  url: { method: 'elicitation/create', params: { mode: 'url', url: 'https://a.example/' } },
  roots: { method: 'roots/list', params: {} },
} as const
const read = (of: keyof typeof asked, result: object) => readResult(asked[of] as never, result as never)
const text = { type: 'text', text: 'hi' }

describe("an agent's answer", () => {
  it.each([
    ['sampling', { role: 'assistant', content: text, model: 'm', stopReason: 'endTurn' }],
    ['sampling', { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'f', input: {} }], model: 'm' }],
    ['form', { action: 'accept', content: { name: 'ana', tags: ['a'] } }],
    ['form', { action: 'decline' }],
    ['url', { action: 'accept' }],
    ['roots', { roots: [{ uri: 'file:///work', name: 'work' }] }],
  ] as const)('to %s passes with the fields the protocol gives it', (of, result) => {
    expect(read(of, { ...result, odd: 'secret', _meta: { note: 'secret' } })).toEqual({ result })
  })
  it('that declines a form says nothing else', () => {
    expect(read('form', { action: 'decline', content: { name: 'secret' } })).toEqual({ result: { action: 'decline' } })
  })
  it.each([
    ['sampling', { role: 'assistant', content: 'hi', model: 'm' }],
    ['sampling', { content: text }],
    ['form', { action: 'accept', content: { name: 'ana', password: 'x' } }],
    ['form', { action: 'accept', content: { name: { first: 'ana' } } }],
    ['form', { action: 'accept' }],
    ['form', { action: 'perhaps' }],
    ['url', { action: 'accept', content: { name: 'ana' } }],
    ['roots', { roots: [{ uri: 'https://a.example/' }] }],
    ['roots', {}],
  ] as const)('to %s that is of another form is held back', (of, result) => {
    expect(read(of, result)).toHaveProperty('problem')
  })
  it('that refuses says no more than that', () => {
    const refused = plainError({ code: 31337, message: 'the password is hunter2' })
    expect(refused).toEqual({ error: { code: -32603, message: 'The client does not answer this.' } })
    expect(plainError({ code: -1, message: 'x' })).toMatchObject({ error: { code: -1 } })
  })
})
