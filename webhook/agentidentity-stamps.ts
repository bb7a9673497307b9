import type { Stamp } from '../lib/api/gen/types.ts'
import { isObject } from '../lib/core/json-rpc.ts'
import type { Patch, Review } from './review.ts'

export interface Stamped {
  patch: Patch
  warnings: string[]
}
type Spec = Record<string, unknown>

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** Who asks, as the API server sees them, at whole seconds as metadata.creationTimestamp. */
const stampOf = ({ userInfo }: Review, now: number): Stamp => ({
  username: userInfo.username,
  ...(userInfo.uid ? { uid: userInfo.uid } : {}),
  ...(userInfo.groups?.length ? { groups: userInfo.groups } : {}),
  at: new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
})

/**
 * Who created the agent: the caller on CREATE, whoever is stored on UPDATE, so that `kubectl replace` of a file without
 * it works and a forged one changes nothing.
 */
const createdBy = (review: Review, spec: Spec, before: Spec | undefined, now: number): Stamped => {
  const given = spec.createdBy
  const stamp = review.operation === 'CREATE' ? stampOf(review, now) : before?.createdBy
  if (stamp === undefined || same(given, stamp)) return { patch: [], warnings: [] }
  return {
    patch: [{ op: 'add', path: '/spec/createdBy', value: stamp }],
    warnings:
      given === undefined
        ? []
        : ['spec.createdBy: who created an agent is not up to the request; what it says was replaced'],
  }
}

/** Who lifted a freeze: the caller whenever spec.unfrozenAt changes, whoever is stored as long as it does not. */
const unfrozenBy = (review: Review, spec: Spec, before: Spec | undefined, now: number): Stamped => {
  const given = spec.unfrozenBy
  const changed = spec.unfrozenAt !== before?.unfrozenAt
  if (spec.unfrozenAt === undefined)
    return {
      patch: given === undefined ? [] : [{ op: 'remove', path: '/spec/unfrozenBy' }],
      warnings: changed ? ['spec.unfrozenAt: was removed, so a freeze that it lifted holds again'] : [],
    }
  const stamp = changed ? stampOf(review, now) : before?.unfrozenBy
  if (stamp === undefined || same(given, stamp)) return { patch: [], warnings: [] }
  const forged = given !== undefined && !same(given, before?.unfrozenBy)
  return {
    patch: [{ op: 'add', path: '/spec/unfrozenBy', value: stamp }],
    warnings: forged
      ? ['spec.unfrozenBy: who lifted a freeze is not up to the request; what it says was replaced']
      : [],
  }
}

/** The stamps of a spec: who asked, as the API server saw them, whatever the request says about it. */
export const stampsOf = (review: Review, spec: Spec, now: number): Stamped => {
  const before = isObject(review.oldObject?.spec) ? review.oldObject.spec : undefined
  const stamps = [createdBy, unfrozenBy].map((stamp) => stamp(review, spec, before, now))
  return { patch: stamps.flatMap(({ patch }) => patch), warnings: stamps.flatMap(({ warnings }) => warnings) }
}
