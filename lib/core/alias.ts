/**
 * The simple case folding by which lenient readers match members (Go's encoding/json, .NET's web defaults): also the
 * long s and the sign for kelvin, which fold to plain letters. What it folds too much is refused, never let pass.
 */
const fold = (name: string): string => name.toLowerCase().toUpperCase()

/** The first name among `names` that is not `wanted` but that a lenient reader takes for it; undefined for none. */
export function aliasOf(wanted: string, names: string[]): string | undefined {
  return names.find((name) => name.length === wanted.length && name !== wanted && fold(name) === fold(wanted))
}
