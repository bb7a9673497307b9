import { partProblem, uriProblem } from './uri.ts'

/** What is wrong with a pattern of URIs as a text: characters that no plain URI has. */
export function uriGlobProblem(pattern: string): string | undefined {
  if (pattern === '') return 'is empty'
  if (pattern.length > 512) return 'is longer than 512 characters'
  if (!/^[!-~]+$/.test(pattern) || pattern.includes('#'))
    return 'has a character that URIs cannot have; only * is a wildcard'
  return undefined
}

/** Why no plain URI fits a pattern, as a phrase; undefined when one may. Exact for patterns without `*`. */
export function fitsNothing(pattern: string): string | undefined {
  if (!pattern.includes('*')) return uriProblem(pattern)
  const pieces = pattern.split('*')
  const first = pieces[0] as string
  if (!/^(?:[a-z][a-z0-9+.-]*(?::.*)?)?$/.test(first)) return 'it does not begin with a scheme in lower case'
  const wrong = pieces.map(partProblem).find((problem) => problem !== undefined)
  if (wrong !== undefined) return wrong
  const host = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*[/?]/.exec(first)?.[0]
  return host === undefined ? undefined : uriProblem(host)
}

/** How much further a pattern reaches than it seems to: it names no scheme, or a `*` stands in the host's name. */
export function reachOfGlob(pattern: string): 'any scheme' | 'any host' | undefined {
  const first = pattern.slice(0, pattern.indexOf('*'))
  if (!pattern.includes('*') || pattern === '*') return undefined
  if (!first.includes(':')) return 'any scheme'
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?]+$/.test(first) ? 'any host' : undefined
}
