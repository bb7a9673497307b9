import { glob } from './glob.ts'

/**
 * Whether every name that `inner` fits is fitted by one of `outer`: exact, for patterns in which only `*` is special.
 * A character that no pattern has stands in for each run that `*` may be: only a `*` of the outer pattern can take it,
 * and that one could take any other run as well. For the same reason no union fits more than one of its patterns does.
 */
export function covers(outer: string[], inner: string): boolean {
  const name = inner.replaceAll(/\*+/g, '\0')
  return outer.some((pattern) => glob(pattern)(name))
}

/**
 * Whether some name is fitted by both patterns. Of two patterns with a `*` only what stands before the first and after
 * the last one can keep them apart: all that is between fits into a run of the other.
 */
export function meet(a: string, b: string): boolean {
  if (!a.includes('*')) return glob(b)(a)
  if (!b.includes('*')) return glob(a)(b)
  const begins = [a, b].map((pattern) => pattern.slice(0, pattern.indexOf('*'))) as [string, string]
  const ends = [a, b].map((pattern) => pattern.slice(pattern.lastIndexOf('*') + 1)) as [string, string]
  return (
    (begins[0].startsWith(begins[1]) || begins[1].startsWith(begins[0])) &&
    (ends[0].endsWith(ends[1]) || ends[1].endsWith(ends[0]))
  )
}
