import { timeOf } from './time.ts'

/** meta/v1 Condition. Source: Kubernetes API conventions, "Typical status properties". */
export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  /** One word in CamelCase for programs. */
  reason: string
  /** One sentence for people. */
  message: string
  /** RFC 3339, when `status` last became what it is. */
  lastTransitionTime: string
  observedGeneration?: number
}

/**
 * The list with one condition set, others untouched and in their places. `lastTransitionTime` stays as long as `status`
 * does. Returns the same list when nothing changes, so that a caller can tell. `now` in milliseconds.
 */
export const setCondition = (
  list: readonly Condition[],
  condition: Omit<Condition, 'lastTransitionTime'>,
  now: number,
): readonly Condition[] => {
  const old = list.find((each) => each.type === condition.type)
  const lastTransitionTime = old?.status === condition.status ? old.lastTransitionTime : timeOf(now)
  const next: Condition = { ...condition, lastTransitionTime }
  if (!old) return [...list, next]
  const same =
    old.status === next.status &&
    old.reason === next.reason &&
    old.message === next.message &&
    old.observedGeneration === next.observedGeneration
  return same ? list : list.map((each) => (each === old ? next : each))
}

export const findCondition = (list: readonly Condition[] | undefined, type: string): Condition | undefined =>
  list?.find((each) => each.type === type)
