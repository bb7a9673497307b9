import { decimalOf } from '../../lib/core/decimal.ts'
import type { Alphabet } from './alphabet.ts'
import { type Automaton, automaton, contains, type Language, literal, textWith } from './language.ts'
import { and, equal, implies, not, real, type Term } from './smt.ts'

/** One statement about the text of one value: that it is in a language. */
interface Statement {
  term: Term
  key: string
  automaton: Automaton
  /** The text, of a statement that it is this one. */
  exactly?: string
}

/**
 * What is said of texts: z3 sees a variable for each statement, and which of them can be true together is found here, by
 * walking their automata at once. That way no theory of texts is needed, and every answer about texts is exact.
 */
export interface Texts {
  /** By id of the value. */
  said: Map<string, { isText: Term; statements: Map<string, Statement> }>
  /** What follows from one statement for another, of every text. */
  facts: Term[]
  /** As `facts`, of texts in plain ASCII only. */
  plainFacts: Term[]
  names: () => Term[]
}

export function newTexts(): Texts {
  const said: Texts['said'] = new Map()
  const names = (): Term[] =>
    [...said.values()].flatMap(({ statements }) => [...statements.values()].map(({ term }) => term))
  return { said, facts: [], plainFacts: [], names }
}

/** The statement that the text of a value is in a language. */
export function inLanguage(texts: Texts, id: string, isText: Term, language: Language): Term {
  return state(texts, id, isText, JSON.stringify(language), () => ({ automaton: automaton(language) }))
}

/** The statement that the text of a value is this one. Its number is then known too, where it is one. */
export function isExactly(texts: Texts, id: string, isText: Term, text: string): Term {
  return state(texts, id, isText, `=${text}`, (term) => {
    const decimal = decimalOf(text)
    if ('value' in decimal) texts.facts.push(implies(and(isText, term), equal(`${id}d`, real(decimal.value.toFixed()))))
    return { automaton: automaton(literal(text)), exactly: text }
  })
}

function state(
  texts: Texts,
  id: string,
  isText: Term,
  key: string,
  make: (term: Term) => Omit<Statement, 'term' | 'key'>,
): Term {
  const value = texts.said.get(id) ?? { isText, statements: new Map<string, Statement>() }
  texts.said.set(id, value)
  const before = value.statements.get(key)
  if (before !== undefined) return before.term
  const term = `${id}t${value.statements.size}`
  const statement: Statement = { term, key, ...make(term) }
  // What is known of single texts needs no search.
  for (const other of value.statements.values()) {
    for (const [one, two] of [
      [statement, other],
      [other, statement],
    ] as const) {
      if (one.exactly === undefined) continue
      texts.facts.push(implies(one.term, contains(two.automaton, one.exactly) ? two.term : not(two.term)))
    }
  }
  value.statements.set(key, statement)
  return term
}

/** Texts for a model's values, by id; or what cannot be true together (then `facts` have grown), or that it takes too long. */
export function textsFor(
  texts: Texts,
  alphabet: Alphabet,
  plain: boolean,
  truth: (term: Term) => boolean,
): Map<string, string> | 'conflict' | 'unknown' {
  const found = new Map<string, string>()
  let conflict = false
  for (const [id, { isText, statements }] of texts.said) {
    if (!truth(isText)) continue
    const literals = [...statements.values()].map((statement) => ({ ...statement, inside: truth(statement.term) }))
    const points = plain ? alphabet.ascii : alphabet.all
    const text = textWith(literals, points)
    if (text === 'unknown') return 'unknown'
    if (text !== undefined) {
      found.set(id, text)
      continue
    }
    conflict = true
    const core = smallest(literals, points)
    for (const never of everywhere(texts, core)) (plain ? texts.plainFacts : texts.facts).push(never)
  }
  return conflict ? 'conflict' : found
}

/** What cannot be said of one text cannot be said of any: the same of every value of which all of it is said. */
function everywhere({ said }: Texts, core: Wanted[]): Term[] {
  return [...said.values()].flatMap(({ isText, statements }) => {
    const terms = core.map(({ key, inside }) => {
      const term = statements.get(key)?.term
      return term === undefined || inside ? term : not(term)
    })
    return terms.some((term) => term === undefined) ? [] : [not(and(isText, ...(terms as Term[])))]
  })
}

type Wanted = Statement & { inside: boolean }

/** As few of the statements as cannot be true together either. */
function smallest(statements: Wanted[], points: number[]): Wanted[] {
  let core = statements
  for (const statement of statements) {
    const less = core.filter((each) => each !== statement)
    if (textWith(less, points) === undefined) core = less
  }
  return core
}
