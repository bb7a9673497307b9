import { canonical } from '../../lib/core/canonical.ts'
import type { Network } from '../../lib/core/cidr.ts'
import type { Alphabet } from './alphabet.ts'
import { and, implies, not, type Term } from './smt.ts'
import { newTexts, type Texts } from './texts.ts'

/** What formulas of one question share: variables beside those of values, and what is known of them. */
export interface Atoms {
  alphabet: Alphabet
  texts: Texts
  /** The variable that stands for something; the same for what is equal, in the old policies and in the new. */
  variable: (about: object) => Term
  /** True of every call. */
  fact: (term: Term) => void
  /** True of the calls that are looked for first; see `plain` of tree.ts. */
  prefer: (term: Term) => void
  facts: Term[]
  preferences: Term[]
  names: Map<string, Term>
  /** What is asked of addresses, by id of the value and network. */
  networks: Map<string, Map<string, { network: Network; tri: Tri }>>
  /** What the formulas do not say to the letter: "cel ...", by the rule that says it. */
  opaque: Set<string>
}

export function newAtoms(alphabet: Alphabet): Atoms {
  const atoms: Atoms = {
    alphabet,
    texts: newTexts(),
    facts: [],
    preferences: [],
    names: new Map(),
    networks: new Map(),
    opaque: new Set(),
    variable: (about) => {
      const key = canonical(about)
      const known = atoms.names.get(key)
      if (known !== undefined) return known
      const name = `x${atoms.names.size}`
      atoms.names.set(key, name)
      return name
    },
    fact: (term) => void (atoms.facts.includes(term) || atoms.facts.push(term)),
    prefer: (term) => void (atoms.preferences.includes(term) || atoms.preferences.push(term)),
  }
  return atoms
}

/** True, false or an error: never two of them. */
export interface Tri {
  true: Term
  error: Term
}

/** A truth of three values of which nothing is known but that it is the same wherever `about` is. */
export function opaque(atoms: Atoms, about: object): Tri {
  const tri = { true: atoms.variable({ ...about, is: 'true' }), error: atoms.variable({ ...about, is: 'error' }) }
  atoms.fact(not(and(tri.true, tri.error)))
  return tri
}

/** An error that exact encoding leaves out, possible only where `when` is true, and never in the calls looked for first. */
export function rare(atoms: Atoms, about: object, when: Term): Term {
  const variable = atoms.variable(about)
  atoms.fact(implies(variable, when))
  atoms.prefer(not(variable))
  return variable
}
