/** How the expressions of a URI template (RFC 6570) are written: what begins one, what stands between, and whether names do. */
const OPERATORS: Record<string, [first: string, between: string, isNamed?: true]> = {
  '': ['', ','],
  '+': ['', ','],
  '#': ['#', ','],
  '.': ['.', '.'],
  '/': ['/', '/'],
  ';': [';', ';', true],
  '?': ['?', '&', true],
  '&': ['&', '&', true],
}
const EXPRESSION = /\{([+#./;?&]?)([^{}]*)\}/g

const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
/** What is reserved in URIs stands for itself. */
const encodeReserved = (text: string): string => encodeURI(text.toWellFormed()).replace(/%25(?=[0-9a-f]{2})/gi, '%')

/** The URIs that a template gives with these values, as a pattern: `*` stands for what of it they leave open. */
export const patternOf = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replace(EXPRESSION, (_whole, operator: string, list: string) => {
    const [first, between, isNamed] = OPERATORS[operator]!
    const parts = list.split(',').map((variable) => {
      const name = variable.replace(/\*$|:\d{1,4}$/, '')
      if (!Object.hasOwn(values, name)) return undefined
      const value = (operator === '+' || operator === '#' ? encodeReserved : encode)(values[name]!)
      return isNamed ? `${name}=${value}` : value
    })
    return parts.includes(undefined) ? '*' : first + parts.join(between)
  })
