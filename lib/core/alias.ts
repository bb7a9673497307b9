/**
 * The simple case folding by which lenient readers match members (Go's encoding/json, .NET's web defaults): also the
 * long s and the sign for kelvin, which fold to plain letters. What it folds too much is refused, never let pass.
 */
const fold = (name: string): string => name.toLowerCase().toUpperCase()

/** The first name among `names` that is not `wanted` but that a lenient reader takes for it; undefined for none. */
export function aliasOf(wanted: string, names: string[]): string | undefined {
  const first = wanted.charCodeAt(0)
  for (const name of names) {
    if (name.length !== wanted.length || name === wanted) continue
    // Most names of that length differ in the first letter already; only ASCII is sure to fold letter by letter.
    const other = name.charCodeAt(0)
    if (first < 0x80 && other < 0x80 && (first | 0x20) !== (other | 0x20)) continue
    if (fold(name) === fold(wanted)) return name
  }
  return undefined
}
