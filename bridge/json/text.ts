/** One member of an object in a JSON text; `start` and `end` bound its value. */
export interface Member {
  key: string
  start: number
  end: number
}

const isSpace = (code: number) => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d

const endOfString = (text: string, at: number): number => {
  for (let i = at + 1; ; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x5c) i++
    else if (code === 0x22) return i + 1
  }
}

const endOfValue = (text: string, at: number): number => {
  const first = text[at]
  if (first === '"') return endOfString(text, at)
  if (first !== '{' && first !== '[') {
    let end = at
    while (end < text.length && !/[\s,\]}]/.test(text[end]!)) end++
    return end
  }
  let depth = 0
  for (let i = at; ; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22) i = endOfString(text, i) - 1
    else if (code === 0x7b || code === 0x5b) depth++
    else if ((code === 0x7d || code === 0x5d) && --depth === 0) return i + 1
  }
}

/**
 * The members of the object that begins at `at`, in order, each time a name occurs. The text must be JSON that
 * `JSON.parse` took.
 */
export const membersOf = (text: string, at = 0): Member[] => {
  const members: Member[] = []
  let i = text.indexOf('{', at) + 1
  const skip = () => {
    while (isSpace(text.charCodeAt(i))) i++
  }
  for (;;) {
    skip()
    if (text[i] !== '"') return members
    const keyEnd = endOfString(text, i)
    const key = JSON.parse(text.slice(i, keyEnd)) as string
    i = keyEnd
    skip()
    i++
    skip()
    const end = endOfValue(text, i)
    members.push({ key, start: i, end })
    i = end
    skip()
    if (text[i] !== ',') return members
    i++
  }
}

/**
 * A message with another id and everything else letter by letter as it was: numbers that a double cannot hold and
 * fields that nobody here knows stay what the server wrote.
 */
export const withId = (text: string, id: string | number): string => {
  let changed = text
  for (const { start, end } of membersOf(text)
    .filter(({ key }) => key === 'id')
    .reverse())
    changed = changed.slice(0, start) + JSON.stringify(id) + changed.slice(end)
  return changed
}

/** A result message with these members put before those that its result has; what the result has already is left. */
export const withResultFields = (text: string, fields: Record<string, unknown>): string => {
  const result = membersOf(text).findLast(({ key }) => key === 'result')
  if (!result || text[result.start] !== '{') return text
  const present = new Set(membersOf(text, result.start).map(({ key }) => key))
  const missing = Object.entries(fields).filter(([key]) => !present.has(key))
  if (missing.length === 0) return text
  const added = missing.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')
  const separator = present.size > 0 ? ',' : ''
  return `${text.slice(0, result.start + 1)}${added}${separator}${text.slice(result.start + 1)}`
}
