import { expect, test } from 'vitest'
import { allow, answer, parseReview, refuse } from './review.ts'

const request = {
  uid: 'u1',
  kind: { group: 'remit.dev', version: 'v1alpha1', kind: 'AgentPolicy' },
  operation: 'CREATE',
  namespace: 'payments',
  name: 'billing',
  userInfo: { username: 'ana', groups: ['a'], extra: { scopes: ['x'] } },
  object: { metadata: { name: 'billing' }, spec: {} },
  oldObject: null,
}
const bytes = (change: object, top: object = {}) =>
  Buffer.from(
    JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: { ...request, ...change },
      ...top,
    }),
  )

test('what the API server sends is taken as it is', () => {
  expect(parseReview(bytes({}))).toEqual({
    uid: 'u1',
    operation: 'CREATE',
    kind: { group: 'remit.dev', kind: 'AgentPolicy' },
    namespace: 'payments',
    name: 'billing',
    userInfo: { username: 'ana', groups: ['a'], extra: { scopes: ['x'] } },
    object: request.object,
  })
})

test.each<[string, Buffer]>([
  ['no JSON', Buffer.from('nonsense')],
  ['nothing', Buffer.alloc(0)],
  ['another version', bytes({}, { apiVersion: 'admission.k8s.io/v1beta1' })],
  ['no request', bytes({}, { request: null })],
  ['no uid', bytes({ uid: '' })],
  ['an operation it is not asked about', bytes({ operation: 'DELETE' })],
  ['no user', bytes({ userInfo: {} })],
  ['groups that are no list', bytes({ userInfo: { username: 'ana', groups: 'admins' } })],
  ['extra that is no list', bytes({ userInfo: { username: 'ana', extra: { a: 'b' } } })],
  ['no object', bytes({ object: null })],
  ['an update without the old object', bytes({ operation: 'UPDATE' })],
  ['a key twice', Buffer.from('{"apiVersion":"admission.k8s.io/v1","apiVersion":"x"}')],
  ['__proto__', bytes({}, { request: JSON.parse('{"__proto__":{"uid":"x"}}') })],
  ['200,000 deep', Buffer.from('['.repeat(200_000))],
])('%s is refused', (_, body) => {
  expect(() => parseReview(body)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/MalformedRequest|RequestTooLarge/) }),
  )
})

const of = { uid: 'u1', name: 'billing', kind: { group: 'remit.dev', kind: 'AgentPolicy' } }

test('a refusal says field, value and fix, to people and to programs', () => {
  const verdict = refuse('spec.ownerRef.name', 'x', 'OwnerGroupMissing', { name: 'x', namespace: 'payments' })
  expect(answer(of, verdict)).toMatchObject({
    response: {
      uid: 'u1',
      allowed: false,
      status: {
        code: 422,
        reason: 'Invalid',
        message:
          'spec.ownerRef.name: "x": The owner group x does not exist in namespace payments. Create it, or name another in spec.ownerRef. (OwnerGroupMissing)',
        details: {
          name: 'billing',
          kind: 'AgentPolicy',
          causes: [{ field: 'spec.ownerRef.name', reason: 'OwnerGroupMissing' }],
        },
      },
    },
  })
})

test('a missing right is Forbidden, not Invalid', () => {
  const verdict = refuse('f', 'x', 'MayNotUsePolicy', { user: 'bo', name: 'x', namespace: 'n' })
  expect(answer(of, verdict)).toMatchObject({ response: { status: { code: 403, reason: 'Forbidden' } } })
})

test('a patch travels as base64 of a JSON patch, and nothing travels where there is none', () => {
  expect(answer(of, allow([{ op: 'add', path: '/spec/x', value: 1 }], ['w']))).toMatchObject({
    response: {
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from('[{"op":"add","path":"/spec/x","value":1}]').toString('base64'),
      warnings: ['w'],
    },
  })
  expect(answer(of, allow())).toEqual({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'u1', allowed: true },
  })
})
