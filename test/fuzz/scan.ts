/**
 * Where the values of a JSON text stand, found without the gate's parser and without JSON.parse: what a server acts on
 * are bytes, so they are what is compared. Throws on anything but strict JSON, also on a member given twice.
 */
export interface Span {
  from: number
  to: number
  members?: Map<string, Span>
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

export const scan = (text: string): Span => {
  let at = 0
  const fail = (): never => {
    throw new Error(`not strict JSON at ${at}`)
  }
  const space = (): void => {
    while (isSpace(text.charCodeAt(at))) at++
  }
  const string = (): string => {
    const from = at++
    while (text[at] !== '"') {
      if (at >= text.length || text.charCodeAt(at) < 0x20) fail()
      at += text[at] === '\\' ? 2 : 1
    }
    at++
    return JSON.parse(text.slice(from, at)) as string
  }
  const value = (): Span => {
    space()
    const from = at
    const first = text[at]
    if (first === '"') {
      string()
      return { from, to: at }
    }
    if (first !== '{' && first !== '[') {
      const word = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)/y
      word.lastIndex = at
      if (!word.test(text)) fail()
      at = word.lastIndex
      return { from, to: at }
    }
    const members = new Map<string, Span>()
    const close = first === '{' ? '}' : ']'
    at++
    space()
    if (text[at] === close) at++
    else
      for (let index = 0; ; index++) {
        space()
        let key = String(index)
        if (first === '{') {
          if (text[at] !== '"') fail()
          key = string()
          space()
          if (text[at++] !== ':') fail()
        }
        if (members.has(key)) throw new Error(`${JSON.stringify(key)} is there twice`)
        members.set(key, value())
        space()
        const next = text[at++]
        if (next === close) break
        if (next !== ',') fail()
      }
    return { from, to: at, members }
  }
  const whole = value()
  space()
  if (at !== text.length) fail()
  return whole
}

/** The text at a path of members, or undefined. */
export const sliceAt = (text: string, whole: Span, path: string[]): string | undefined => {
  let span: Span | undefined = whole
  for (const key of path) span = span?.members?.get(key)
  return span === undefined ? undefined : text.slice(span.from, span.to)
}
