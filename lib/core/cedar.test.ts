import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from './decide.ts'
import { newHistory } from './history/history.ts'
import { checkPolicy } from './policy-check.ts'
import { prepare } from './prepare.ts'
import type { Json } from './strict.ts'
import { type Level, toCedar, toContext } from './testing/cedar.ts'
import { speakableCall, speakableSpec } from './testing/cedar-arbitrary.ts'
import { NOW, remitOf } from './testing/remit.ts'

// The same question to an engine that others wrote, on the part of the language that both can say; testing/cedar.ts
// says how one is put into the other, and what is outside of it.

const LEVELS: Level[] = ['Allow', 'Draft', 'Ask']
const POLICIES = 400
const CALLS = 6

function cedarEffect(server: string, tool: string, args: Json): string {
  for (const level of LEVELS) {
    const answer = cedar.statefulIsAuthorized({
      principal: { type: 'Agent', id: 'agent' },
      action: { type: 'Action', id: 'call' },
      resource: { type: 'Tool', id: tool },
      context: toContext(server, tool, args as object) as cedar.Context,
      entities: [],
      preparsedPolicySetId: level,
    })
    if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors))
    const { decision, diagnostics } = answer.response
    if (diagnostics.errors.length > 0) return 'Deny'
    if (decision === 'allow') return level
  }
  return 'Deny'
}

test('Cedar comes to the same decisions', () => {
  const seen: Record<string, number> = {}
  fc.assert(
    fc.property(speakableSpec, fc.array(speakableCall, { minLength: CALLS, maxLength: CALLS }), (spec, calls) => {
      expect(checkPolicy(spec)).toEqual([])
      const prepared = prepare(remitOf([spec]))
      for (const level of LEVELS) {
        const parsed = cedar.preparsePolicySet(level, { staticPolicies: toCedar(spec, level) })
        if (parsed.type === 'failure') throw new Error(JSON.stringify(parsed.errors))
      }
      for (const call of calls) {
        const ours = decide(prepared, call, newHistory(prepared), NOW)
        const theirs = cedarEffect(call.server, call.tool, call.arguments)
        expect({ call, effect: ours.effect, reason: ours.reason }).toEqual({
          call,
          effect: theirs,
          reason: ours.reason,
        })
        const kind = `${ours.effect} ${ours.code ?? ''}`
        seen[kind] = (seen[kind] ?? 0) + 1
      }
    }),
    { numRuns: POLICIES },
  )
  // An agreement about denials alone would say little.
  for (const kind of [
    'Allow ',
    'Draft DraftOnly',
    'Ask WaitingForPerson',
    'Deny ConstraintError',
    'Deny ConstraintFailed',
  ])
    expect(seen[kind] ?? 0, kind).toBeGreaterThan(POLICIES * CALLS * 0.02)
}, 120_000)
