import { aliasOf } from '../../lib/core/alias.ts'

/** What of a message says which message it is, by where it stands; `''`: in the message itself. */
const TELLING: ReadonlyMap<string, string[]> = new Map([
  ['', ['jsonrpc', 'id', 'method', 'params', 'result', 'error']],
  ['result', ['resultType', 'inputRequests', 'requestState', 'task']],
  ['error', ['code', 'message', 'data']],
])
/** Objects and lists inside one another: what is deeper cannot be written again. */
const MAX_DEPTH = 512

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

const endOfString = (text: string, at: number): number => {
  for (let i = at + 1; ; i++) {
    const code = text.charCodeAt(i)
    if (code === BACKSLASH) i++
    else if (code === QUOTE) return i
  }
}

/**
 * Why a server's message, which is passed on as the text that it is, could be another message to its reader than to the
 * gate, as a phrase: readers differ in which of two members of a name they take, and some do not look at its case.
 *
 * @param text JSON that `JSON.parse` took
 */
export const ambiguity = (text: string): string | undefined => {
  let depth = 0
  let isKey = false
  let place: string | undefined
  const isObject: boolean[] = []
  const seen = new Map<string, Set<string>>()
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      const end = endOfString(text, i)
      if (isKey && depth <= 2) {
        const name = JSON.parse(text.slice(i, end + 1)) as string
        const within = depth === 1 ? '' : place
        const telling = within === undefined ? undefined : TELLING.get(within)
        if (telling) {
          const before = seen.get(within!) ?? new Set()
          if (before.has(name) && telling.includes(name)) return `it has ${name} twice`
          const stray = telling.find((field) => aliasOf(field, [name]) !== undefined)
          if (stray !== undefined) return `${stray} is also spelled otherwise`
          seen.set(within!, before.add(name))
        }
        if (depth === 1) place = name
      }
      isKey = false
      i = end
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (++depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH}`
      isKey = isObject[depth] = code === OPEN_OBJECT
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      depth--
      isKey = false
    } else if (code === COMMA) isKey = isObject[depth] === true
  }
  return undefined
}
