import { aliasOf } from '../../lib/core/alias.ts'

/** What of a message says which message it is, by where it stands; `''`: in the message itself. */
const TELLING: ReadonlyMap<string, string[]> = new Map([
  ['', ['jsonrpc', 'id', 'method', 'params', 'result', 'error']],
  ['result', ['resultType', 'inputRequests', 'requestState', 'task']],
  ['error', ['code', 'message', 'data']],
])
/** Objects and lists inside one another: what is deeper cannot be written again. */
const MAX_DEPTH = 512
/** Objects, lists and strings: each takes many times the memory that it has bytes. */
const MAX_PARTS = 150_000
/** Of all lists together, numbers too. */
const MAX_ITEMS = 650_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Where the quote is that ends the string; the end of the text where there is none. */
const endOfString = (text: string, at: number): number => {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end
    while (text.charCodeAt(before - 1) === BACKSLASH) before--
    if ((end - before) % 2 === 0) return end
  }
  return text.length
}

/** The name of a member as it is read; as it is written where it is none. */
const nameIn = (written: string): string => {
  try {
    return String(JSON.parse(written))
  } catch {
    return written
  }
}

/**
 * Why a server's message is not one to read, as a phrase; to be asked before it is parsed. It is passed on as the text
 * that it is, and must not be another message to its reader than to the gate: readers differ in which of two members of
 * a name they take, and some do not look at its case. And what is small as text can be large in memory.
 */
export const textProblem = (text: string): string | undefined => {
  let depth = 0
  let parts = 0
  let items = 0
  let isKey = false
  let place = ''
  const isObject: boolean[] = []
  const seen = new Set<string>()
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      const end = endOfString(text, i)
      const within = depth === 1 ? '' : place
      const telling = isKey && depth <= 2 ? TELLING.get(within) : undefined
      if (telling) {
        const name = nameIn(text.slice(i, end + 1))
        const full = `${within}.${name}`
        if (seen.has(full)) return `it has ${name} twice`
        if (telling.includes(name)) seen.add(full)
        const stray = telling.find((field) => aliasOf(field, [name]) !== undefined)
        if (stray !== undefined) return `${stray} is also spelled otherwise`
        if (depth === 1) place = name
      }
      isKey = false
      i = end
      parts++
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (++depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH}`
      isKey = isObject[depth] = code === OPEN_OBJECT
      parts++
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      depth--
      isKey = false
    } else if (code === COMMA) {
      isKey = isObject[depth] === true
      if (!isKey) items++
    }
    if (parts > MAX_PARTS) return `it has more than ${MAX_PARTS} objects, lists and strings`
    if (items > MAX_ITEMS) return `its lists have more than ${MAX_ITEMS} items`
  }
  return undefined
}
