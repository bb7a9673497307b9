/** Terms of SMT-LIB 2, as text. Conjunctions and disjunctions are simplified, so that what is fixed costs z3 nothing. */
export type Term = string

export const TRUE: Term = 'true'
export const FALSE: Term = 'false'

export function and(...terms: Term[]): Term {
  const open = [...new Set(terms)].filter((term) => term !== TRUE)
  if (open.includes(FALSE)) return FALSE
  return open.length === 0 ? TRUE : open.length === 1 ? (open[0] as Term) : `(and ${open.join(' ')})`
}

export function or(...terms: Term[]): Term {
  const open = [...new Set(terms)].filter((term) => term !== FALSE)
  if (open.includes(TRUE)) return TRUE
  return open.length === 0 ? FALSE : open.length === 1 ? (open[0] as Term) : `(or ${open.join(' ')})`
}

export const not = (term: Term): Term => (term === TRUE ? FALSE : term === FALSE ? TRUE : `(not ${term})`)
export const implies = (when: Term, then: Term): Term => or(not(when), then)
export const equal = (a: Term, b: Term): Term => (a === b ? TRUE : `(= ${a} ${b})`)

/** A plain decimal ("-12.50") as a real. */
export function real(decimal: string): Term {
  const negative = decimal.startsWith('-')
  const digits = negative ? decimal.slice(1) : decimal
  const term = digits.includes('.') ? digits : `${digits}.0`
  return negative ? `(- ${term})` : term
}

/** An s-expression as z3 prints it: an atom or a list. */
export type Expression = string | Expression[]

/** All expressions of an answer. */
export function parse(answer: string): Expression[] {
  const tokens = answer.match(/"(?:[^"]|"")*"|[()]|[^\s()"]+/g) ?? []
  const stack: Expression[][] = [[]]
  for (const token of tokens) {
    if (token === '(') stack.push([])
    else if (token === ')') {
      const list = stack.pop() as Expression[]
      ;(stack[stack.length - 1] as Expression[]).push(list)
    } else (stack[stack.length - 1] as Expression[]).push(token)
  }
  return stack[0] as Expression[]
}

/** A real as numerator and denominator. */
export function fraction(expression: Expression): { numerator: bigint; denominator: bigint } {
  if (typeof expression === 'string') return { numerator: BigInt(expression.replace(/\.0$/, '')), denominator: 1n }
  const [operator, first, second] = expression as [string, Expression, Expression]
  const left = fraction(first)
  if (operator === '-') return { numerator: -left.numerator, denominator: left.denominator }
  const right = fraction(second)
  return { numerator: left.numerator * right.denominator, denominator: left.denominator * right.numerator }
}
