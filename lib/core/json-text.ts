/** One member of an object in a JSON text: `from` where its name begins, `start` and `end` around its value. */
interface Member {
  key: string
  from: number
  start: number
  end: number
}

/** What becomes of an object: members to have another value, to have where they are missing, and to have no more. */
export interface Edit {
  set?: Record<string, unknown>
  add?: Record<string, unknown>
  drop?: string[]
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
    const from = i
    const keyEnd = endOfString(text, i)
    const key = JSON.parse(text.slice(i, keyEnd)) as string
    i = keyEnd
    skip()
    i++
    skip()
    const end = endOfValue(text, i)
    members.push({ key, from, start: i, end })
    i = end
    skip()
    if (text[i] !== ',') return members
    i++
  }
}

const member = (key: string, value: unknown): string => `${JSON.stringify(key)}:${JSON.stringify(value)}`

/**
 * The text of an object, edited, and every other member letter by letter as it was: numbers that a double cannot hold
 * and fields that nobody here knows stay what their author wrote. A name that occurs twice is edited twice.
 */
export const withMembers = (text: string, { set = {}, add = {}, drop = [] }: Edit): string => {
  const members = membersOf(text)
  const present = new Set(members.map(({ key }) => key))
  const missing = Object.entries({ ...add, ...set }).filter(([key]) => !present.has(key))
  const kept = members
    .filter(({ key }) => !drop.includes(key))
    .map(({ key, from, end }) => (Object.hasOwn(set, key) ? member(key, set[key]) : text.slice(from, end)))
  return `{${[...missing.map(([key, value]) => member(key, value)), ...kept].join(',')}}`
}

/** The text of an object whose member of this name is an object, edited; as it was where it is none. */
export const inMember = (text: string, name: string, edit: Edit): string => {
  const found = membersOf(text).findLast(({ key }) => key === name)
  if (!found || text[found.start] !== '{') return text
  const { start, end } = found
  return text.slice(0, start) + withMembers(text.slice(start, end), edit) + text.slice(end)
}
