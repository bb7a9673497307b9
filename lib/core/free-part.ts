import { hides, isPlain, MAX_LOOK, pretends } from './lookalike.ts'

/** RFC 5322 dot-atom: the only local part of a mail address that every mail program reads the same. */
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/

/**
 * `prefix` and `suffix` fix one end of a text and leave the rest to the caller. What is wrong with that rest, or
 * undefined: characters that cannot be seen or break lines ("x@evil.example\n@corp.example"), more than a plain local
 * part before a suffix with an @ ("x@evil.example,y@corp.example"), letters that look like others, a step upwards after
 * a prefix that is a path ("/srv/data/../../etc"). Such a text is an error for the rule, neither true nor false, so it is
 * denied either way.
 */
export function freePartProblem(rest: string, operator: 'prefix' | 'suffix', fixed: string): string | undefined {
  if (rest.length > MAX_LOOK) return 'longer than can be looked through'
  const plain = isPlain(rest)
  if (!plain && hides(rest)) return 'not a text without hidden characters or line breaks'
  if (operator === 'suffix' && fixed.includes('@')) {
    const address = fixed.startsWith('@') ? LOCAL_PART.test(rest) : rest === '' || LOCAL_PART.test(rest)
    return address ? undefined : 'not one plain mail address'
  }
  if (!plain && pretends(rest)) return 'with letters that look like others'
  if (operator === 'prefix' && fixed.includes('/') && climbs(fixed, rest)) return 'not a path without steps upwards'
  return undefined
}

/** Whether a path has a `..` segment, also where a server would decode %2e, %2f or %5c or take \ for /. */
function climbs(fixed: string, rest: string): boolean {
  const path = `${fixed}${rest}`.replace(/%2e/gi, '.').replace(/%2f|%5c|\\/gi, '/')
  return path.split(/[/?#;]/).includes('..')
}
