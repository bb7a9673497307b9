import type { Constraint } from '../../lib/api/gen/types.ts'
import { inNetwork, type Network, parseNetwork } from '../../lib/core/cidr.ts'
import { compileConstraint } from '../../lib/core/constraint.ts'
import { type Atoms, opaque, type Tri } from './atoms.ts'
import { and, implies, not, or } from './smt.ts'
import { isText } from './spelling.ts'
import { is, type Node } from './tree.ts'

/** One operator of a constraint, as {in: [...]}; `min` and `max` are one, `minItems` and `maxItems` too. */
export type Operator = Omit<Constraint, 'arg' | 'not' | 'optional' | 'cel'>

/** Addresses are not looked into: which network is in which, and that all of one version have the same errors, is said. */
export function networkTruth(atoms: Atoms, node: Node, cidr: string): Tri {
  const network = parseNetwork(cidr)
  if ('problem' in network) throw new Error('a network that is none')
  const tri: Tri = {
    true: atoms.variable({ node: node.id, cidr }),
    error: atoms.variable({ node: node.id, addresses: network.version }),
  }
  const all = atoms.networks.get(node.id) ?? new Map()
  atoms.networks.set(node.id, all.set(cidr, { network, tri }))
  atoms.fact(not(and(tri.true, tri.error)))
  atoms.fact(implies(not(is(node, 'Text')), tri.error))
  for (const other of all.values()) {
    if (other.tri.true === tri.true || other.network.version !== network.version) continue
    const [few, many] = other.network.length > network.length ? [other, { network, tri }] : [{ network, tri }, other]
    const inside = inNetwork(firstOf(few.network), many.network) === true
    atoms.fact(inside ? implies(few.tri.true, many.tri.true) : not(and(few.tri.true, many.tri.true)))
  }
  atoms.opaque.add(cidr)
  tryOut(atoms, node, { cidr }, false, tri, [...SAMPLES, cidr.split('/')[0] as string])
  return tri
}

const firstOf = ({ version, bytes }: Network): string =>
  version === 4
    ? bytes.join('.')
    : Array.from({ length: 8 }, (_, index) =>
        (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
      ).join(':')

/** Texts on which an operator that cannot be encoded is tried out, so that an example can be found all the same. */
const SAMPLES = [
  '',
  'a',
  'A',
  '1',
  'x-1',
  '10.0.0.1',
  '192.168.1.1',
  '203.0.113.7',
  '2001:db8::1',
  'EUR',
  'a@corp.example',
]

/** An operator that is the same three-valued unknown wherever it is asked of the same value. */
export function sampled(atoms: Atoms, node: Node, operator: Operator, wary: boolean): Tri {
  const tri = opaque(atoms, { node: node.id, operator, wary })
  atoms.opaque.add(JSON.stringify(Object.values(operator)[0]))
  atoms.fact(implies(not(is(node, 'Text')), tri.error))
  tryOut(atoms, node, operator, wary, tri, SAMPLES)
  return tri
}

/** Says what an operator finds of some texts; calls with one of them are looked for first. */
function tryOut(atoms: Atoms, node: Node, operator: Operator, wary: boolean, tri: Tri, samples: string[]): void {
  const evaluate = compileConstraint({ arg: 'x', ...operator }, wary ? 'some' : 'every', false)
  for (const sample of samples) {
    const truth = evaluate({ x: sample }, { server: 's', tool: 't' }).is
    const outcome = truth === 'error' ? tri.error : and(not(tri.error), truth === 'true' ? tri.true : not(tri.true))
    atoms.fact(implies(and(is(node, 'Text'), isText(atoms, node, sample)), outcome))
  }
  atoms.prefer(implies(is(node, 'Text'), or(...samples.map((sample) => isText(atoms, node, sample)))))
}
