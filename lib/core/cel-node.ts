import type { ASTNode } from '@marcbachmann/cel-js'
import { aliasOf } from './alias.ts'
import { celCall, celMethod } from './cel-call.ts'
import {
  compute,
  equal,
  type Fault,
  isFault,
  nameOf,
  order,
  type Run,
  type Scope,
  spend,
  TOO_DEAR,
  type Value,
} from './cel-value.ts'
import { exactNumber } from './number.ts'
import { shown } from './quote.ts'

/** The variables of comprehensions around a node. */
export interface Names {
  slots: Map<string, number>
  used: number
  nested: number
  deepest: number
}

/** Makes a node of a checked expression one that runs. Throws a Fault for what is no part of CEL here. */
export function celNode(node: ASTNode, names: Names): Run {
  const run = compiled(node, names)
  return (scope) => {
    spend(scope, 1)
    return run(scope)
  }
}

/** The expression's own text for a node, as a sentence names it. */
export const said = (node: ASTNode): string => {
  const text = node.input.slice(node.start, node.end)
  return /^[\w.[\]]{1,80}$/.test(text) ? text : shown(text)
}

export const fault = (problem: string): never => {
  throw { problem } satisfies Fault
}

function compiled(node: ASTNode, names: Names): Run {
  switch (node.op) {
    case 'value':
      return literal(node)
    case 'id':
      return variable(node.args, names)
    case '.': {
      const [from, key] = node.args
      return select(celNode(from, names), () => key, from, node)
    }
    case '[]': {
      const [from, at] = node.args
      return select(celNode(from, names), celNode(at, names), from, node)
    }
    case 'list': {
      const elements = node.args.map((element) => celNode(element, names))
      return (scope) => elements.map((element) => element(scope)) as Value
    }
    case '!_': {
      const operand = celNode(node.args, names)
      return (scope) => !truth(operand(scope))
    }
    case '-_': {
      const operand = celNode(node.args, names)
      return (scope) => compute('-', 0, operand(scope), scope)
    }
    case '&&':
    case '||':
      return logical(node.op === '||', celNode(node.args[0], names), celNode(node.args[1], names))
    case '?:': {
      const [test, yes, no] = node.args.map((part) => celNode(part, names)) as [Run, Run, Run]
      return (scope) => (truth(test(scope)) ? yes(scope) : no(scope))
    }
    case 'call':
      return celCall(node.args[0], node.args[1], names)
    case 'rcall':
      return celMethod(node.args[0], node.args[1], node.args[2], names)
    case '.?':
    case '[?]':
    case 'map':
      return fault(`${said(node)} is no part of CEL here`)
    default: {
      const { op } = node
      const [left, right] = [celNode(node.args[0], names), celNode(node.args[1], names)]
      return (scope) => binary(op, left(scope), right(scope), scope)
    }
  }
}

function literal(node: ASTNode): Run {
  const value = node.args
  if (typeof value === 'bigint') {
    const small = Number.isSafeInteger(Number(value)) ? Number(value) : value
    return () => small
  }
  if (typeof value === 'number' && exactNumber(node.input.slice(node.start, node.end)) === undefined) {
    return fault(`${said(node)} is a number that cannot be held exactly`)
  }
  if (value === null || typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') {
    return () => value
  }
  return fault(`${said(node)} is no part of CEL here`)
}

function variable(name: string, names: Names): Run {
  const slot = names.slots.get(name)
  if (slot !== undefined) return (scope) => scope.slots[slot] as Value
  if (name === 'args') return (scope) => scope.args
  if (name === 'server') return (scope) => scope.server
  if (name === 'tool') return (scope) => scope.tool
  return fault(`${shown(name)} is no variable here; there are args, server and tool`)
}

/** A member of an object or an element of a list; own members only, and none that is written in two ways. */
function select(from: Run, at: (scope: Scope) => Value, place: ASTNode, whole: ASTNode): Run {
  return (scope) => {
    const value = from(scope)
    const key = at(scope)
    if (Array.isArray(value) && typeof key === 'number') {
      const element = Number.isInteger(key) && key >= 0 ? value[key] : undefined
      return element === undefined ? fault(`${said(whole)} is missing`) : element
    }
    if (typeof key !== 'string')
      return fault(`${said(place)} is ${nameOf(value)}, and ${nameOf(key)} leads nowhere in it`)
    const found = member(value, key, place, scope)
    return found === undefined ? fault(`${said(whole)} is missing`) : found
  }
}

/** The own member of an object, undefined when it has none. Throws a Fault for anything that is no object. */
export function member(value: Value, key: string, place: ASTNode, scope: Scope): Value | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return fault(`${said(place)} is ${nameOf(value)}, not an object`)
  }
  const keys = Object.keys(value)
  spend(scope, keys.length)
  if (aliasOf(key, keys) !== undefined) return fault(`${said(place)} has ${shown(key)} in two ways of writing it`)
  return Object.hasOwn(value, key) ? value[key] : undefined
}

export function truth(value: Value): boolean {
  return typeof value === 'boolean' ? value : fault(`${nameOf(value)} stands where a truth value has to`)
}

/** As CEL has it: a decisive side decides, whatever the other comes to. */
function logical(decisive: boolean, left: Run, right: Run): Run {
  return (scope) => {
    const first = attempt(left, scope)
    if (first === decisive) return decisive
    const second = attempt(right, scope)
    if (second === decisive) return decisive
    if (typeof first === 'object') throw first
    if (typeof second === 'object') throw second
    return !decisive
  }
}

/** The truth of a part, or the Fault it ends in. What costs too much ends everything. */
export function attempt(run: Run, scope: Scope): boolean | Fault {
  try {
    return truth(run(scope))
  } catch (thrown) {
    if (isFault(thrown) && thrown !== TOO_DEAR) return thrown
    throw thrown
  }
}

type Binary = Exclude<
  ASTNode['op'],
  'value' | 'id' | '.' | '.?' | '[]' | '[?]' | 'call' | 'rcall' | 'list' | 'map' | '?:' | '||' | '&&' | '!_' | '-_'
>

function binary(op: Binary, a: Value, b: Value, scope: Scope): Value {
  switch (op) {
    case '==':
      return equal(a, b, scope)
    case '!=':
      return !equal(a, b, scope)
    case '<':
      return order(a, b, scope) < 0
    case '<=':
      return order(a, b, scope) <= 0
    case '>':
      return order(a, b, scope) > 0
    case '>=':
      return order(a, b, scope) >= 0
    case 'in':
      return within(a, b, scope)
    case '+':
      return joined(a, b, scope) ?? compute('+', a, b, scope)
    default:
      return compute(op, a, b, scope)
  }
}

function joined(a: Value, b: Value, scope: Scope): Value | undefined {
  if (typeof a === 'string' && typeof b === 'string') {
    spend(scope, (a.length + b.length) / 16)
    return a + b
  }
  if (!Array.isArray(a) || !Array.isArray(b)) return undefined
  spend(scope, a.length + b.length)
  return [...a, ...b]
}

/** Whether a list has the value, or an object the member. A list without any value of that type cannot be judged. */
function within(value: Value, whole: Value, scope: Scope): boolean {
  if (Array.isArray(whole)) {
    const alike = whole.filter((element) => element === null || value === null || nameOf(element) === nameOf(value))
    spend(scope, whole.length)
    if (alike.length === 0 && whole.length > 0)
      return fault(`it looks for ${nameOf(value)} among values of other types`)
    return alike.some((element) => equal(value, element, scope))
  }
  if (whole !== null && typeof whole === 'object' && typeof value === 'string') {
    const keys = Object.keys(whole)
    spend(scope, keys.length)
    if (aliasOf(value, keys) !== undefined)
      return fault(`it looks for ${shown(value)}, which is written in another way`)
    return Object.hasOwn(whole, value)
  }
  return fault(`it looks for ${nameOf(value)} in ${nameOf(whole)}`)
}
