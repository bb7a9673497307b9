/**
 * How much of a text a regular expression leaves to the caller: nothing undefined, when it is held at both ends and has
 * no wildcard between them.
 */
export function looseness(pattern: string): 'unanchored' | 'wildcard' | undefined {
  const flags = /^\(\?([a-zA-Z]+)\)/.exec(pattern)
  const body = flags === null ? pattern : pattern.slice(flags[0].length)
  // With (?m), ^ and $ are the ends of a line, and a text may have another line.
  if (flags?.[1]?.includes('m') || !isHeld(body)) return 'unanchored'
  return /\.(?:[*+]|\{[0-9]+,\})/.test(withoutLiterals(body)) ? 'wildcard' : undefined
}

function isHeld(body: string): boolean {
  const plain = withoutLiterals(body)
  const alternatives = split(plain)
  if (alternatives.length > 1) return alternatives.every(isHeld)
  const group = /^\((?:\?:)?(.*)\)$/.exec(plain)
  if (group !== null && isOneGroup(plain)) return isHeld(group[1] as string)
  return /^(?:\^|A)/.test(plain) && /(?:\$|Z)$/.test(plain)
}

/** The expression with each class and each escape as one letter: A and Z for \A and \z, x for all others. */
function withoutLiterals(body: string): string {
  return body
    .replaceAll(/\\Q.*?(?:\\E|$)/g, 'x')
    .replaceAll(/\\A/g, '\u0001')
    .replaceAll(/\\z/g, '\u0002')
    .replaceAll(/\\(?:[pP]\{[^}]*\}|x\{[^}]*\}|.)/g, 'x')
    .replaceAll(/\[\^?\]?(?:\[:[^\]]*:\]|[^\]])*\]/g, 'x')
    .replaceAll(/[AZ]/g, 'x')
    .replaceAll('\u0001', 'A')
    .replaceAll('\u0002', 'Z')
}

/** The alternatives outside of any group. */
function split(plain: string): string[] {
  const parts = ['']
  let depth = 0
  for (const letter of plain) {
    if (letter === '(') depth++
    if (letter === ')') depth--
    if (letter === '|' && depth === 0) parts.push('')
    else parts[parts.length - 1] += letter
  }
  return parts
}

function isOneGroup(plain: string): boolean {
  let depth = 0
  for (const [index, letter] of [...plain].entries()) {
    if (letter === '(') depth++
    if (letter === ')') depth--
    if (depth === 0 && index < plain.length - 1) return false
  }
  return true
}
