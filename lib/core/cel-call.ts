import type { ASTNode } from '@marcbachmann/cel-js'
import { attempt, celNode, fault, member, type Names, said, truth } from './cel-node.ts'
import { type Fault, nameOf, type Run, type Scope, spend, type Value } from './cel-value.ts'
import { compilePattern } from './pattern.ts'
import type { Json } from './strict.ts'

/** has(a.b) and size(x). Throws a Fault for any other function. */
export function celCall(name: string, args: ASTNode[], names: Names): Run {
  const [first] = args
  if (name === 'size' && first !== undefined && args.length === 1) return size(celNode(first, names))
  if (name === 'has' && first?.op === '.') {
    const [place, key] = first.args
    const from = celNode(place, names)
    return (scope) => member(from(scope), key, place, scope) !== undefined
  }
  return fault(
    `${name}() is no function here; there are has and size, and startsWith, endsWith, contains and matches on a text`,
  )
}

/** What is called on a value: tests of texts, size, and all, exists, exists_one, filter and map over a list. */
export function celMethod(name: string, receiver: ASTNode, args: ASTNode[], names: Names): Run {
  const target = celNode(receiver, names)
  const [first, second, third] = args
  if (name === 'size' && args.length === 0) return size(target)
  if (name === 'matches' && args.length === 1) return matches(target, first as ASTNode)
  const test = TESTS.get(name)
  if (test !== undefined && args.length === 1) {
    const wanted = celNode(first as ASTNode, names)
    return (scope) => {
      const [text, part] = [target(scope), wanted(scope)]
      if (typeof text !== 'string' || typeof part !== 'string') return fault(`it asks ${nameOf(text)} for ${name}`)
      spend(scope, name === 'contains' ? (text.length * Math.max(part.length, 1)) / 256 : part.length / 64)
      return test(text, part)
    }
  }
  const over = OVER.get(name)
  if (over === undefined || first?.op !== 'id' || second === undefined || (third !== undefined && name !== 'map')) {
    return fault(`${name}() is no method here`)
  }
  if (names.nested >= names.deepest) return fault(`has more than ${names.deepest} comprehensions inside one another`)
  const slot = names.used
  const inside = {
    ...names,
    slots: new Map(names.slots).set(first.args, slot),
    used: slot + 1,
    nested: names.nested + 1,
  }
  const bodies = [second, third].flatMap((body) => (body === undefined ? [] : [celNode(body, inside)]))
  return (scope) => {
    const elements = elementsOf(target(scope), scope)
    return over(elements, bodies as [Run, Run?], (element) => {
      spend(scope, 1)
      scope.slots[slot] = element
      return scope
    })
  }
}

const TESTS = new Map<string, (text: string, part: string) => boolean>([
  ['startsWith', (text, part) => text.startsWith(part)],
  ['endsWith', (text, part) => text.endsWith(part)],
  ['contains', (text, part) => text.includes(part)],
])

function size(of: Run): Run {
  return (scope) => {
    const value = of(scope)
    if (Array.isArray(value)) return value.length
    if (typeof value === 'string') {
      spend(scope, value.length / 4)
      return Array.from(value).length
    }
    if (value === null || typeof value !== 'object') return fault(`it asks ${nameOf(value)} for its size`)
    const keys = Object.keys(value).length
    spend(scope, keys)
    return keys
  }
}

/** RE2 in linear time; the expression has to be written out, so that it is compiled and checked once. */
function matches(of: Run, expression: ASTNode): Run {
  const source = expression.op === 'value' ? expression.args : undefined
  if (typeof source !== 'string') return fault('matches() needs its expression written out, in quotes')
  const pattern = compilePattern(source)
  if ('problem' in pattern) return fault(`${said(expression)} ${pattern.problem}`)
  return (scope) => {
    const text = of(scope)
    if (typeof text !== 'string') return fault(`it asks ${nameOf(text)} for matches`)
    spend(scope, (text.length * pattern.size) / 2)
    const found = pattern.find(text)
    return typeof found === 'object' ? fault(`a text is ${found.problem}`) : found
  }
}

function elementsOf(value: Value, scope: Scope): Json[] {
  if (Array.isArray(value)) return value
  if (value === null || typeof value !== 'object') return fault(`it goes through ${nameOf(value)}, which is no list`)
  const keys = Object.keys(value)
  spend(scope, keys.length)
  return keys
}

type Over = (elements: Json[], bodies: [Run, Run?], enter: (element: Json) => Scope) => Value

/** all and exists, as && and || over the elements. */
const quantifier =
  (decisive: boolean): Over =>
  (elements, [body], enter) => {
    let failed: Fault | undefined
    for (const element of elements) {
      const found = attempt(body, enter(element))
      if (found === decisive) return decisive
      if (typeof found === 'object') failed ??= found
    }
    if (failed !== undefined) throw failed
    return !decisive
  }

const OVER = new Map<string, Over>([
  ['all', quantifier(false)],
  ['exists', quantifier(true)],
  ['exists_one', (elements, [body], enter) => elements.filter((element) => truth(body(enter(element)))).length === 1],
  ['filter', (elements, [body], enter) => elements.filter((element) => truth(body(enter(element))))],
  [
    'map',
    (elements, [body, then], enter) => {
      const kept = then === undefined ? elements : elements.filter((element) => truth(body(enter(element))))
      return kept.map((element) => (then ?? body)(enter(element))) as Value
    },
  ],
])
