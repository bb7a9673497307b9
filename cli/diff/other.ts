import type { CallRule, OtherRule } from '../../lib/api/remit.ts'
import { glob } from '../../lib/core/glob.ts'
import type { Atoms } from './atoms.ts'
import {
  ANY,
  between,
  characters,
  either,
  inOrder,
  type Language,
  literal,
  maybe,
  one,
  repeat,
  together,
} from './language.ts'
import { and, not, or, type Term, TRUE } from './smt.ts'
import { inLanguage } from './texts.ts'
import { is, type Node } from './tree.ts'

/**
 * What is asked about beside calls of tools. `answer` is what the agent answers to a request; whether the request gets
 * through is a question of its own.
 */
export type OtherType = OtherRule['type'] | 'answer'

/** Under this name the agent's answer stands where what was read for a rule with `object` does. */
export const ANSWER = 'agent/answer'

/** A rule as formulas take it: one about tools, or one that is written like it. */
export type Rule = CallRule & {
  /** Of a rule about resources: the URIs it is about, which are arguments here. */
  uris?: string[]
}

/** The rule as one about tools that gives or denies the same. */
export function asCallRule(rule: OtherRule, type: OtherType): Rule {
  const { policy, mode, name, effect, where } = rule
  const answer = type === 'answer' && rule.type === 'request' ? rule.answer : undefined
  return {
    policy,
    mode,
    name,
    effect,
    type: 'tool',
    match: {},
    ...(where === undefined ? {} : { where }),
    ...(answer === undefined ? {} : { object: { read: ANSWER, where: answer } }),
    ...(rule.type === 'resource' ? { uris: rule.match.uris ?? ['*'] } : {}),
  }
}

/** Whether a rule speaks of a server and a name; of resources, whose names are arguments, of any of the server. */
export function speaksOf(rule: OtherRule, type: OtherType, server: string, name: string): boolean {
  if (rule.type !== (type === 'answer' ? 'request' : type)) return false
  const { servers } = rule.match
  if (servers !== undefined && !servers.some((pattern) => glob(pattern)(server))) return false
  if (rule.type === 'resource') return true
  const names: readonly string[] | undefined = rule.type === 'prompt' ? rule.match.prompts : rule.match.methods
  return names === undefined || names.some((pattern) => glob(pattern)(name))
}

const uriOf = (args: Node): Node => args.members.get('uri')?.node as Node

/** When a rule is about what is asked for: always, but for one about resources. */
export function speaksWhen(atoms: Atoms, args: Node, { uris }: Rule): Term {
  if (uris === undefined) return TRUE
  if (uris.includes('*')) return TRUE
  const uri = uriOf(args)
  return or(...uris.map((pattern) => inLanguage(atoms.texts, uri.id, is(uri, 'Text'), fitting(pattern))))
}

const fitting = (pattern: string): Language =>
  inOrder(...pattern.split('*').flatMap((part, index) => (index === 0 ? [literal(part)] : [ANY, literal(part)])))

const LOWER = between('a', 'z')
const DIGIT = between('0', '9')
const OF_URI = together(LOWER, between('A', 'Z'), DIGIT, characters("-._~:/?[]@!$&'()*+,;=%"))
const OF_HOST = together(LOWER, DIGIT, characters("-._~:[]!$&'()*+,;=%"))
const SCHEME = inOrder(one(LOWER), repeat(one(together(LOWER, DIGIT, characters('+.-'))), 0), literal(':'))
const REST = repeat(one(OF_URI), 0)
const WITH_HOST = inOrder(either(...['http', 'https', 'ws', 'wss', 'ftp'].map(literal)), literal(':'))
const FILE = literal('file:')
const SEPARATOR = one(characters('/?&=;:,@'))
const DOTS = either(literal('.'), literal('..'))
const CLIMBS = inOrder(maybe(inOrder(ANY, SEPARATOR)), DOTS, maybe(inOrder(SEPARATOR, ANY)))

/** What is true of everything that is asked about: of a URI less than that it is plain, never more. */
export function factsOf(atoms: Atoms, args: Node, type: OtherType, name: string): Term[] {
  if (type === 'resource') {
    const uri = uriOf(args)
    const said = (language: Language): Term => inLanguage(atoms.texts, uri.id, is(uri, 'Text'), language)
    const odd = (scheme: Language, rest: Language): Term =>
      and(said(inOrder(scheme, ANY)), not(said(inOrder(scheme, rest, ANY))))
    return [
      is(args, 'Object'),
      is(uri, 'Text'),
      not(`${args.id}o`),
      ...[...args.members].flatMap(([key, { node, alias }]) =>
        key === 'uri' ? [not(alias)] : [is(node, 'M'), not(alias)],
      ),
      said(inOrder(SCHEME, REST)),
      not(said(CLIMBS)),
      not(odd(WITH_HOST, inOrder(literal('//'), repeat(one(OF_HOST), 1), literal('/')))),
      not(odd(FILE, inOrder(literal('//'), repeat(one(OF_HOST), 0), literal('/')))),
    ]
  }
  // Without a mode it is a form, and then there is the same request with it.
  const mode = name === 'elicitation/create' ? args.members.get('mode')?.node : undefined
  return mode === undefined ? [] : [not(is(mode, 'M'))]
}
