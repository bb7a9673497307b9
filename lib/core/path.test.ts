import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../api/gen/types.ts'
import { parsePath, resolvePath } from './path.ts'
import type { Json } from './strict.ts'
import { ask } from './testing/remit.ts'

const found = (path: string, args: Json) => resolvePath(args, parsePath(path)!).map(({ kind }) => kind)

describe('a name that only a lenient reader takes for another', () => {
  // Go's encoding/json and .NET's web defaults match members regardless of case, and the last one wins.
  const cases: [name: string, path: string, args: Json][] = [
    ['beside the right one', 'amount', { amount: 1, Amount: 12000 }],
    ['instead of the right one', 'cc', { CC: ['x@evil.example'] }],
    ['further inside', 'notify[*].email', { notify: [{ email: 'a@corp.example', eMail: 'x@evil.example' }] }],
    ['on the way', 'to.email', { to: { email: 'a' }, TO: { email: 'b' } }],
    ['by a letter that folds to another', 'cost', { cost: 1, co\u017ft: 12000 }],
    ['by the sign for kelvin', 'book', { boo\u212a: 1 }],
  ]
  it.each(cases)('%s is an error', (_name, path, args) => {
    expect(found(path, args)).toContain('error')
  })
  it('says both names', () => {
    expect(resolvePath({ amount: 1, Amount: 2 }, [{ key: 'amount' }])).toEqual([
      { kind: 'error', where: 'amount', detail: 'amount is also written "Amount"' },
    ])
  })
  it("is nobody's matter where no rule looks", () => {
    expect(found('amount', { amount: 1, memo: 'a', Memo: 'b' })).toEqual(['value'])
    expect(found('amount', { amount: 1, amounts: 2 })).toEqual(['value'])
  })
  it('denies a call that an optional constraint would have let pass', () => {
    const mail: PolicySpec = {
      tools: [
        {
          name: 'mail',
          match: { tools: ['send'] },
          effect: 'Allow',
          where: [{ arg: 'cc[*]', suffix: '@corp.example', optional: true }],
        },
      ],
    }
    expect(ask(mail, 'send')).toMatchObject({ effect: 'Allow' })
    expect(ask(mail, 'send', { Cc: ['x@evil.example'] })).toMatchObject({ effect: 'Deny', code: 'ConstraintError' })
  })
})
