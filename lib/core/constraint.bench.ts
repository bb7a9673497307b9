import { test } from 'vitest'
import type { Constraint } from '../api/gen/types.ts'
import { compileConstraint } from './constraint.ts'

const args = {
  amount: 12.5,
  currency: 'EUR',
  host: '10.1.2.3',
  ticket: 'T-4711',
  memo: 'as the customer asked on the phone. '.repeat(40),
  to: Array.from({ length: 10 }, (_, index) => `person-${index}@corp.example`),
  customer: { country: 'DE', id: 17 },
  from: 'a',
}
const about = { server: 'billing', tool: 'refund' }
const compiled = (constraint: Constraint) => {
  const evaluate = compileConstraint(constraint, 'every', false)
  return () => {
    if (evaluate(args, about).is !== 'true') throw new Error('does not hold')
  }
}

test('one constraint on 2 KB of arguments', async ({ bench }) => {
  await bench.compare(
    bench('equals', compiled({ arg: 'currency', equals: 'EUR' })),
    bench('notIn', compiled({ arg: 'currency', notIn: ['XXX', 'XTS'] })),
    bench('min and max', compiled({ arg: 'amount', min: '0.01', max: '50.00' })),
    bench('suffix of ten', compiled({ arg: 'to[*]', suffix: '@corp.example' })),
    bench('cidr', compiled({ arg: 'host', cidr: '10.0.0.0/8' })),
    bench('pattern', compiled({ arg: 'ticket', pattern: '^T-[0-9]+$' })),
    bench('not pattern in 1.4 KB', compiled({ arg: 'memo', not: { pattern: 'https?://' } })),
    bench('cel', compiled({ cel: 'args.from != args.currency && args.customer.id > 5' })),
    bench('cel over ten', compiled({ cel: 'args.to.all(x, x.endsWith("@corp.example"))' })),
  )
})
