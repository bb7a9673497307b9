import { describe, expect, test } from 'vitest'
import type { PolicySpec } from '../../api/gen/types.ts'
import { checkPolicy } from '../policy-check.ts'
import { prepare } from '../prepare.ts'
import { remitOf } from '../testing/remit.ts'

const problemsOf = (spec: object, scope?: 'Cluster') => checkPolicy(spec as PolicySpec, scope)
const resource = (change: object) => ({
  resources: [{ name: 'r', match: { servers: ['docs'], uris: ['file:///a/*'] }, effect: 'Allow', ...change }],
})
const prompt = (change: object) => ({
  prompts: [{ name: 'p', match: { prompts: ['summ*'] }, effect: 'Ask', ...change }],
})
const request = (change: object) => ({
  requests: [{ name: 'q', match: { methods: ['elicitation/create'] }, effect: 'Allow', ...change }],
})

test('rules with everything this version enforces have no problem, and come into force', () => {
  const spec = {
    ...resource({ where: [{ arg: 'uri', suffix: '.md' }, { cel: 'args.uri != "file:///a/x.md"' }] }),
    ...prompt({ where: [{ arg: 'length', in: ['short'] }] }),
    ...request({ where: [{ arg: 'mode', in: ['form'] }], answer: [{ arg: 'content.password', absent: true }] }),
  } as PolicySpec
  expect(problemsOf(spec)).toEqual([])
  expect(prepare(remitOf([spec])).others.map(({ name, type }) => [name, type])).toEqual([
    ['r', 'resource'],
    ['p', 'prompt'],
    ['q', 'request'],
  ])
})

describe('refused, with field, value and fix', () => {
  test.each<[object, string, string]>([
    [{ resources: {} }, 'spec.resources', 'is not a list'],
    [{ prompts: ['summarize'] }, 'spec.prompts[0]', 'is not an object'],
    [resource({ name: '' }), 'spec.resources[0].name', 'is missing'],
    [resource({ match: undefined }), 'spec.resources[0].match', 'names neither servers nor uris'],
    [resource({ match: {} }), 'spec.resources[0].match', 'names neither servers nor uris'],
    [resource({ match: 'docs' }), 'spec.resources[0].match', 'is not an object'],
    [resource({ match: { uris: [] } }), 'spec.resources[0].match.uris', 'lists nothing'],
    [
      resource({ match: { uris: ['a b'] } }),
      'spec.resources[0].match.uris[0]',
      'has a character that URIs cannot have',
    ],
    [resource({ match: { uris: ['file:///a#b'] } }), 'spec.resources[0].match.uris[0]', 'has a character'],
    [resource({ match: { uris: ['é'] } }), 'spec.resources[0].match.uris[0]', 'has a character'],
    [resource({ match: { uris: [''] } }), 'spec.resources[0].match.uris[0]', 'is empty'],
    [resource({ match: { uris: [7] } }), 'spec.resources[0].match.uris[0]', 'is not a text'],
    [resource({ match: { uris: ['x'.repeat(513)] } }), 'spec.resources[0].match.uris[0]', 'is longer'],
    [resource({ match: { servers: ['a b'] } }), 'spec.resources[0].match.servers[0]', 'has a character'],
    [resource({ effect: undefined }), 'spec.resources[0].effect', 'is missing'],
    [resource({ effect: 'Draft' }), 'spec.resources[0].effect', 'is not an effect'],
    [resource({ where: [] }), 'spec.resources[0].where', 'is an empty list'],
    [resource({ where: [{ arg: 'path', prefix: '/a' }] }), 'spec.resources[0].where[0].arg', 'is nothing that reading'],
    [prompt({ match: { prompts: ['summ arize'] } }), 'spec.prompts[0].match.prompts[0]', 'has a character'],
    [prompt({ where: [{ arg: 'a', pattern: '(' }] }), 'spec.prompts[0].where[0].pattern', ''],
    [request({ effect: 'Ask' }), 'spec.requests[0].effect', 'is not for requests'],
    [
      request({ match: { methods: ['tools/call'] } }),
      'spec.requests[0].match.methods[0]',
      'is nothing a server may ask',
    ],
    [
      request({ match: { methods: ['elicitation/*'] } }),
      'spec.requests[0].match.methods[0]',
      'is nothing a server may',
    ],
    [request({ answer: [] }), 'spec.requests[0].answer', 'is an empty list'],
    [request({ effect: 'Deny', answer: [{ arg: 'a', absent: true }] }), 'spec.requests[0].answer', 'belongs to a rule'],
    [{ ...resource({ name: 'x' }), ...prompt({ name: 'x' }) }, 'spec.prompts[0].name', 'is the name of another rule'],
    [{ ...resource({ name: 'read-only' }), readOnly: true }, 'spec.resources[0].name', 'is the name of another rule'],
    [
      { ...request({ name: 'x' }), invariants: [{ name: 'x', match: { tools: ['*'] } }] },
      'spec.requests[0].name',
      'is the name of another rule',
    ],
  ])('%j', (spec, field, detail) => {
    const found = problemsOf(spec).find((problem) => problem.field === field)
    expect(found).toMatchObject({ field, code: 'PolicyInvalid', detail: expect.stringContaining(detail) })
    expect(found?.fix).toMatch(/\.$/)
  })
  test.each<[object, string]>([
    [resource({ otherwise: 'Ask' }), 'spec.resources[0].otherwise'],
    [resource({ answer: [{ arg: 'a', absent: true }] }), 'spec.resources[0].answer'],
    [resource({ match: { uris: ['*'], tools: ['*'] } }), 'spec.resources[0].match.tools'],
    [prompt({ limits: [{ per: '1h', calls: 1 }] }), 'spec.prompts[0].limits'],
    [request({ match: { methods: ['roots/list'], classes: ['Read'] } }), 'spec.requests[0].match.classes'],
  ])('what this version does not enforce: %j', (spec, field) => {
    expect(problemsOf(spec)).toMatchObject([{ field, code: 'PolicyUnsupported' }])
  })
})

test('a ClusterAgentPolicy only restricts', () => {
  for (const [kind, give] of Object.entries({ resources: resource, prompts: prompt, requests: request })) {
    for (const effect of ['Allow', 'Ask', undefined])
      expect(problemsOf(give({ effect }), 'Cluster')[0]).toMatchObject({
        field: `spec.${kind}[0].effect`,
        detail: expect.stringContaining('only restricts'),
      })
    expect(problemsOf(give({ effect: 'Deny' }), 'Cluster')).toEqual([])
  }
})

test('a remit with a rule of a kind that is not known does not come into force', () => {
  const remit = remitOf([resource({}) as PolicySpec])
  const [rule] = remit.rules
  const odd = { ...remit, rules: [{ ...rule, type: 'root' }] } as unknown as typeof remit
  expect(() => prepare(odd)).toThrow(expect.objectContaining({ code: 'PolicyUnsupported' }))
  const more = { ...remit, rules: [{ ...rule, match: { schemes: ['file'] } }] } as unknown as typeof remit
  expect(() => prepare(more)).toThrow(expect.objectContaining({ code: 'PolicyUnsupported' }))
})
