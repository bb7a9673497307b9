import { describe, expect, it } from 'vitest'
import { readRequest } from './request-form.ts'

const ALL = { sampling: { tools: {}, context: {} }, elicitation: { form: {}, url: {} }, roots: {} }
const schema = { type: 'object', properties: { name: { type: 'string' } } }
const form = { message: 'Your name?', requestedSchema: schema }
const url = { mode: 'url', message: 'Sign in', url: 'https://bank.example/sign-in', elicitationId: 'e-1' }
const sampling = { messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }], maxTokens: 10 }
const read = (method: string, params: object, can: object = ALL) =>
  readRequest({ method, params: params as never }, can as never)

describe("a server's request", () => {
  it.each([
    ['roots/list', {}, {}],
    ['sampling/createMessage', { ...sampling, odd: 1 }, sampling],
    ['elicitation/create', { ...form, odd: 1 }, form],
    ['elicitation/create', { ...form, mode: 'form', url: 'https://a.example/' }, { ...form, mode: 'form' }],
    ['elicitation/create', url, url],
    ['elicitation/create', { ...url, url: 'HTTPS://Bank.Example:443/x/../sign-in' }, { ...url }],
  ])('%s passes with its own fields in their plain form', (method, params, passed) => {
    expect(read(method, params)).toEqual({ params: passed, meta: {} })
  })

  it('passes of `_meta` what answers are told apart by', () => {
    const related = { 'io.modelcontextprotocol/related-task': { taskId: 't' } }
    expect(read('roots/list', { _meta: { progressToken: 1, ...related, odd: 'x' } })).toEqual({
      params: {},
      meta: { progressToken: 1, ...related },
    })
  })

  it.each([
    ['is none that passes', 'tasks/get', { taskId: 't' }],
    ['wants a task of the agent', 'elicitation/create', { ...form, task: {} }],
    ['has a mode twice', 'elicitation/create', { ...form, Mode: 'url' }],
    ['has tools twice', 'sampling/createMessage', { ...sampling, TOOLS: [] }],
    ['has no form', 'elicitation/create', { message: 'Your password?' }],
    ['has an unknown mode', 'elicitation/create', { ...form, mode: 'voice' }],
    ['names a user before the host', 'elicitation/create', { ...url, url: 'https://bank.example@evil.example/' }],
    ['opens a script', 'elicitation/create', { ...url, url: 'javascript:alert(1)' }],
    ['opens a file', 'elicitation/create', { ...url, url: 'file:///etc/passwd' }],
    ['has no URL', 'elicitation/create', { ...url, url: 5 }],
    ['has an endless URL', 'elicitation/create', { ...url, url: `https://a.example/${'x'.repeat(3_000)}` }],
    ['has an endless id', 'elicitation/create', { ...url, elicitationId: 'x'.repeat(300) }],
    ['is nested without end', 'sampling/createMessage', { ...sampling, metadata: deep(100) }],
    ['has params that are none', 'roots/list', []],
  ])('that %s is refused', (_what, method, params) => {
    expect(read(method, params)).toEqual({ problem: expect.stringMatching(/\w/) })
  })

  it.each([
    ['sampling', 'sampling/createMessage', sampling, { sampling: undefined }],
    ['tools in sampling', 'sampling/createMessage', { ...sampling, tools: [] }, { sampling: {} }],
    ['context in sampling', 'sampling/createMessage', { ...sampling, includeContext: 'allServers' }, { sampling: {} }],
    ['elicitation', 'elicitation/create', form, { elicitation: undefined }],
    ['forms', 'elicitation/create', form, { elicitation: { url: {} } }],
    ['URLs', 'elicitation/create', url, { elicitation: {} }],
    ['roots', 'roots/list', {}, { roots: undefined }],
  ])('for %s reaches no client that cannot do it', (_what, method, params, lacks) => {
    expect(read(method, params)).toHaveProperty('params')
    expect(read(method, params, { ...ALL, ...lacks })).toHaveProperty('problem')
  })
})

function deep(levels: number): object {
  return levels === 0 ? {} : { a: deep(levels - 1) }
}
