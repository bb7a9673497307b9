import { describe, type ErrorCode, type ErrorValues, UserError } from '../lib/core/errors.ts'
import { isObject } from '../lib/core/json-rpc.ts'
import type { Problem } from '../lib/core/problem.ts'
import { parseStrict } from '../lib/core/strict.ts'
import type { Subject } from '../lib/kube/subject-access.ts'

/** admission.k8s.io/v1 AdmissionRequest, as far as Remit reads it. */
export interface Review {
  uid: string
  operation: 'CREATE' | 'UPDATE'
  kind: { group: string; kind: string }
  namespace: string
  name: string
  userInfo: Subject
  object: Record<string, unknown>
  oldObject?: Record<string, unknown>
}
/** One reason for a refusal, in the words of the catalog. */
export interface Cause {
  field: string
  value?: string
  code: ErrorCode
  message: string
}
/** RFC 6902, the operations used here. */
export type Patch = ({ op: 'add' | 'replace'; path: string; value: unknown } | { op: 'remove'; path: string })[]
export type Verdict =
  | { allowed: true; patch?: Patch; warnings?: string[] }
  | { allowed: false; causes: [Cause, ...Cause[]] }

export const allow = (patch: Patch = [], warnings: string[] = []): Verdict => ({ allowed: true, patch, warnings })

/** Refused for one reason of the catalog, at one field. */
export const refuse = (field: string, value: unknown, code: ErrorCode, values: ErrorValues = {}): Verdict => ({
  allowed: false,
  causes: [cause(field, value, code, values)],
})

export const cause = (field: string, value: unknown, code: ErrorCode, values: ErrorValues = {}): Cause => {
  const { message, remedy } = describe(code, values)
  return {
    field,
    ...(value === undefined ? {} : { value: JSON.stringify(value) }),
    code,
    message: `${message} ${remedy}`,
  }
}

/** Allowed, or refused with every problem at once. */
export const verdictOf = (causes: Cause[]): Verdict => {
  const [first, ...rest] = causes
  return first ? { allowed: false, causes: [first, ...rest] } : allow()
}

export const causeOf = (problem: Problem): Cause => ({
  field: problem.field,
  value: problem.value,
  code: problem.code,
  message: `${problem.detail}. ${problem.fix}`,
})

// An update carries the object twice, and etcd takes 1.5 MiB each.
const LIMITS = { maxBytes: 8 * 1024 * 1024, maxNodes: 500_000 }

const strings = (value: unknown): value is string[] => Array.isArray(value) && value.every((v) => typeof v === 'string')

/**
 * An AdmissionReview as the API server sends it. Refuses whatever is not exactly that.
 * @throws UserError MalformedRequest or RequestTooLarge; the caller answers 400, and the API server refuses the request.
 */
export const parseReview = (body: Buffer): Review => {
  const parsed = parseStrict(body, LIMITS)
  if (!parsed.ok) throw new UserError(parsed.code, { detail: parsed.detail, limit: '8 MiB' })
  const malformed = (detail: string) => new UserError('MalformedRequest', { detail })
  const review = parsed.value
  if (!isObject(review) || review.apiVersion !== 'admission.k8s.io/v1' || review.kind !== 'AdmissionReview')
    throw malformed('not an admission.k8s.io/v1 AdmissionReview')
  const { request } = review
  if (!isObject(request)) throw malformed('request is missing')
  const { uid, operation, userInfo, kind, object, oldObject, namespace = '', name = '' } = request
  if (typeof uid !== 'string' || uid === '') throw malformed('request.uid is missing')
  if (operation !== 'CREATE' && operation !== 'UPDATE')
    throw malformed('request.operation is neither CREATE nor UPDATE')
  if (!isObject(userInfo) || typeof userInfo.username !== 'string' || userInfo.username === '')
    throw malformed('request.userInfo.username is missing')
  if (userInfo.groups !== undefined && !strings(userInfo.groups))
    throw malformed('request.userInfo.groups is not a list of names')
  if (userInfo.uid !== undefined && typeof userInfo.uid !== 'string')
    throw malformed('request.userInfo.uid is not text')
  const extra = userInfo.extra
  if (extra !== undefined && !(isObject(extra) && Object.values(extra).every(strings)))
    throw malformed('request.userInfo.extra is not lists of text by name')
  if (!isObject(kind) || typeof kind.kind !== 'string' || typeof kind.group !== 'string')
    throw malformed('request.kind is missing')
  if (typeof namespace !== 'string' || typeof name !== 'string')
    throw malformed('request.namespace or request.name is not text')
  if (!isObject(object) || !isObject(object.metadata)) throw malformed('request.object is missing')
  if (operation === 'UPDATE' && !isObject(oldObject)) throw malformed('request.oldObject is missing')
  return {
    uid,
    operation,
    kind: { group: kind.group, kind: kind.kind },
    namespace,
    name,
    userInfo: {
      username: userInfo.username,
      ...(userInfo.uid ? { uid: userInfo.uid } : {}),
      ...(userInfo.groups ? { groups: userInfo.groups } : {}),
      ...(extra ? { extra: extra as Record<string, string[]> } : {}),
    },
    object,
    ...(isObject(oldObject) ? { oldObject } : {}),
  }
}

const FORBIDDEN: ErrorCode[] = ['MayNotUsePolicy', 'MayNotReadSecret', 'ReservedName', 'Forbidden']
const line = (c: Cause) => `${c.field}: ${c.value === undefined ? '' : `${c.value}: `}${c.message} (${c.code})`

/** The AdmissionReview to answer with. A refusal says field, value and fix for each cause, for people and as details. */
export const answer = (review: Pick<Review, 'uid' | 'name' | 'kind'>, verdict: Verdict): object => {
  const response = verdict.allowed
    ? {
        uid: review.uid,
        allowed: true,
        ...(verdict.patch?.length
          ? { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(verdict.patch)).toString('base64') }
          : {}),
        ...(verdict.warnings?.length ? { warnings: verdict.warnings } : {}),
      }
    : {
        uid: review.uid,
        allowed: false,
        status: {
          status: 'Failure',
          ...(verdict.causes.every((c) => FORBIDDEN.includes(c.code))
            ? { code: 403, reason: 'Forbidden' }
            : { code: 422, reason: 'Invalid' }),
          message: verdict.causes.map(line).join('\n'),
          details: {
            name: review.name,
            group: review.kind.group,
            kind: review.kind.kind,
            causes: verdict.causes.map((c) => ({
              reason: c.code,
              field: c.field,
              message: `${c.value === undefined ? '' : `${c.value}: `}${c.message}`,
            })),
          },
        },
      }
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }
}
