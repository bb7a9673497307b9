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

/** Whether some name is fitted by both patterns. */
export function meet(a: string, b: string): boolean {
  // reach[j]: whether the rest of `b` from j and the rest of `a` from the current place have a name in common.
  let reach = new Array<boolean>(b.length + 1).fill(false)
  for (let i = a.length; i >= 0; i--) {
    const next = reach
    reach = new Array<boolean>(b.length + 1).fill(false)
    for (let j = b.length; j >= 0; j--) {
      if (i === a.length && j === b.length) reach[j] = true
      else if (a[i] === '*') reach[j] = next[j] === true || (j < b.length && reach[j + 1] === true)
      else if (b[j] === '*') reach[j] = reach[j + 1] === true || (i < a.length && next[j] === true)
      else reach[j] = i < a.length && j < b.length && a[i] === b[j] && next[j + 1] === true
    }
  }
  return reach[0] === true
}
