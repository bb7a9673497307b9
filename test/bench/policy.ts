/**
 * What a decision costs, and what making a remit ready costs, beside Cedar on the same rules. Rounds alternate between
 * the two engines within one run, and bars are held against the best round, as in sidecar.ts. Exits with 1 when one is
 * missed.
 *
 * Of the 100 rules all match the call, so that all are evaluated: with rules spread over tools, as policies have them,
 * a call meets a few. Cedar gets those that its language can say (testing/cedar.ts), without what makes an error there
 * a denial, and its answer is of allow or deny only; the arguments cross into WebAssembly as its package has it.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { PolicySpec, ToolRule } from '../../lib/api/gen/types.ts'
import { compile } from '../../lib/core/compile.ts'
import { decide } from '../../lib/core/decide.ts'
import { newHistory, remember } from '../../lib/core/history/history.ts'
import { prepare } from '../../lib/core/prepare.ts'
import type { Json } from '../../lib/core/strict.ts'
import { toCedar, toContext } from '../../lib/core/testing/cedar.ts'
import { input, NOW, remitOf } from '../../lib/core/testing/remit.ts'
import { percentile } from './support/load.ts'

const BARS = { decideP50Us: 50, decideP99Us: 500, compileMs: 200 }
/** Many and short: on a busy machine some are left alone. */
const ROUNDS = 60
const DECISIONS = 500
const CEDAR_DECISIONS = 25
const FIRST_RUNS = 9
const ARGUMENT_BYTES = 2_048

const median = (values: number[]): number =>
  percentile(
    [...values].sort((a, b) => a - b),
    0.5,
  )

/** Rules of every kind that Cedar can say, each about arguments of its own choice. */
const ruleOf = (index: number, match: ToolRule['match']): ToolRule => {
  const where = [
    [{ arg: 'currency', in: ['EUR', 'USD', 'CHF'] }],
    [{ arg: 'cents', min: '1', max: String(5_000 + index) }],
    [
      { arg: 'invoice_id', prefix: 'INV-' },
      { arg: 'customer.country', equals: 'DE' },
    ],
    [{ arg: 'to[*]', notIn: ['root', `user-${index}`] }],
    [{ arg: 'tags', subsetOf: ['refund', 'late', 'goodwill', 'vip'] }],
    [
      { arg: 'address', cidr: '10.0.0.0/8' },
      { arg: 'urgent', not: { equals: true } },
    ],
    [{ arg: 'account', absent: true as const }],
    [{ arg: 'reference', suffix: '-DE', optional: true }],
  ][index % 8]!
  const effect = index % 10 === 7 ? 'Deny' : index % 10 === 3 ? 'Ask' : 'Allow'
  // What denies or asks does so of something that these calls are not, so that no rule ends the matter early.
  return { name: `rule-${index}`, match, effect, where: effect === 'Allow' ? where : [{ arg: 'cents', min: '900000' }] }
}

const REFUND = { servers: ['billing'], tools: ['refund'] }
const many = (count: number, match: (index: number) => ToolRule['match']): ToolRule[] =>
  Array.from({ length: count }, (_, index) => ruleOf(index, match(index)))
const speakable: PolicySpec = { tools: many(99, () => REFUND) }
const extra = (rule: object): PolicySpec => ({
  tools: [...many(99, () => REFUND), { name: 'extra', match: REFUND, effect: 'Allow', ...rule } as ToolRule],
})
const policies: Record<string, PolicySpec> = {
  'all match, one has a pattern': extra({ where: [{ arg: 'reference', pattern: '^[A-Z]-[0-9]{1,6}(?:-[A-Z]{2})?$' }] }),
  'all match, one has cel': extra({ where: [{ cel: 'args.cents > 0 && args.from != args.invoice_id' }] }),
  'all match, one has limits': extra({
    where: [{ arg: 'cents', max: '5000' }],
    limits: [
      { per: '24h', calls: 100_000 },
      { per: '24h', sum: 'cents', max: '100000000' },
    ],
  }),
  'over 25 tools, 4 match': {
    tools: many(100, (index) => ({
      servers: ['billing'],
      tools: [index % 25 === 0 ? 'refund' : `tool_${index % 25}`],
    })),
  },
}

/** A search costs by the length of what is searched; no bar is held against one of nearly all of the arguments. */
const LONG = 'the same over a long text'
policies[LONG] = extra({ where: [{ arg: 'memo', pattern: '^[A-Za-z0-9 ,.-]+$' }] })

/** Arguments of 2 KiB, none the same. */
const callOf = (index: number): Json => {
  const args = {
    invoice_id: `INV-${1_000 + index}`,
    cents: 100 + index,
    currency: 'EUR',
    urgent: false,
    customer: { name: `Customer ${index}`, country: 'DE', since: 2019 },
    to: ['ana', 'bo', `person-${index}`],
    tags: ['refund', 'late'],
    address: '10.1.2.3',
    reference: `R-${index}-DE`,
    from: `mail-${index}`,
    lines: Array.from({ length: 12 }, (_, line) => ({
      position: line,
      text: `Item ${index}-${line}`,
      cents: line * 100,
    })),
    memo: '',
  }
  return { ...args, memo: 'as agreed on the phone, '.repeat(99).slice(0, ARGUMENT_BYTES - JSON.stringify(args).length) }
}
const calls = Array.from({ length: 256 }, (_, index) => callOf(index))

interface Sample {
  p50: number
  p99: number
}
/** Microseconds. */
const timed = (times: number, one: (args: Json) => void): Sample => {
  const took: number[] = []
  for (let index = 0; index < times; index++) {
    const args = calls[index % calls.length]!
    const began = performance.now()
    one(args)
    took.push((performance.now() - began) * 1_000)
  }
  took.sort((a, b) => a - b)
  return { p50: percentile(took, 0.5), p99: percentile(took, 0.99) }
}

const decider = (spec: PolicySpec) => {
  const prepared = prepare(remitOf([spec]))
  const history = newHistory(prepared)
  history.loaded = true
  for (let index = 0; index < 2_000; index++) {
    const past = { id: `past-${index}`, at: NOW - 2_000 + index, server: 'billing', tool: 'refund' }
    remember(history, { kind: 'intent', ...past, effect: 'Allow', facts: { cents: [index] } })
    remember(history, { kind: 'result', id: past.id, at: past.at, outcome: 'ok' })
  }
  return (args: Json): void => {
    const { effect, reason } = decide(prepared, { server: 'billing', tool: 'refund', arguments: args }, history, NOW)
    if (effect !== 'Allow') throw new Error(`not allowed: ${reason}`)
  }
}

const withCedar = () => {
  const parsed = cedar.preparsePolicySet('bench', { staticPolicies: withoutChecks(toCedar(speakable, 'Allow')) })
  if (parsed.type === 'failure') throw new Error(JSON.stringify(parsed.errors))
  return (args: Json): void => {
    const answer = cedar.statefulIsAuthorized({
      principal: { type: 'Agent', id: 'agent' },
      action: { type: 'Action', id: 'call' },
      resource: { type: 'Tool', id: 'refund' },
      context: toContext('billing', 'refund', args as object) as cedar.Context,
      entities: [],
      preparsedPolicySetId: 'bench',
    })
    if (answer.type === 'failure' || answer.response.decision !== 'allow') throw new Error(JSON.stringify(answer))
  }
}
const withoutChecks = (all: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(all).filter(([id]) => !id.includes('-check-')))

/** Milliseconds to compile and prepare a remit of 1,000 rules, of which one in 20 has a pattern. */
const makeReady = (): number => {
  const tools = many(1_000, (index) => ({ tools: [`tool_${index}`] })).map((rule, index) =>
    index % 20 === 0 ? { ...rule, where: [{ arg: 'memo', pattern: `^T-[0-9]{1,${(index % 9) + 1}}$` }] } : rule,
  )
  const given = input([{ tools }])
  const began = performance.now()
  const result = compile(given)
  if ('problems' in result) throw new Error(JSON.stringify(result.problems[0]))
  prepare(result.remit)
  return performance.now() - began
}

const self = fileURLToPath(import.meta.url)
if (process.argv[2] === 'first') console.log(makeReady())
else {
  const first = Array.from({ length: FIRST_RUNS }, () => Number(execFileSync(process.execPath, [self, 'first'])))
  const warm = Array.from({ length: FIRST_RUNS }, makeReady)
  const engines = Object.entries(policies).map(([name, spec]) => ({ name, one: decider(spec), rounds: [] as Sample[] }))
  const theirs = { one: withCedar(), rounds: [] as Sample[] }
  for (const { one } of engines) timed(DECISIONS * 12, one)
  timed(CEDAR_DECISIONS * 12, theirs.one)
  for (let round = 0; round < ROUNDS; round++) {
    for (const engine of engines) engine.rounds.push(timed(DECISIONS, engine.one))
    theirs.rounds.push(timed(CEDAR_DECISIONS, theirs.one))
  }
  const best = (rounds: Sample[], which: keyof Sample): number => Math.min(...rounds.map((round) => round[which]))
  const line = (name: string, rounds: Sample[]): string => {
    const each = (which: keyof Sample) =>
      `${which} ${best(rounds, which).toFixed(1).padStart(7)} best, ${median(rounds.map((round) => round[which]))
        .toFixed(1)
        .padStart(7)} median`
    const ratio = median(rounds.map((round, index) => theirs.rounds[index]!.p50 / round.p50))
    return `  ${name.padEnd(30)} ${each('p50')}   ${each('p99')}   ${rounds === theirs.rounds ? '' : `Cedar takes x ${ratio.toFixed(1)}`}`
  }
  console.log(
    `decide, 100 rules, ${JSON.stringify(calls[0]).length} bytes of arguments, microseconds, ${ROUNDS} rounds`,
  )
  for (const { name, rounds } of engines) console.log(line(name, rounds))
  console.log(line('Cedar, 99 that it can say', theirs.rounds))
  console.log(
    `compile and prepare 1,000 rules: first ${Math.min(...first).toFixed(0)} ms best, ${median(first).toFixed(0)} median; warm ${Math.min(...warm).toFixed(0)} best, ${median(warm).toFixed(0)} median`,
  )
  const worst = (which: keyof Sample): number =>
    Math.max(...engines.filter(({ name }) => name !== LONG).map(({ rounds }) => best(rounds, which)))
  const bars: [string, boolean][] = [
    [`decide p50 under ${BARS.decideP50Us} µs`, worst('p50') < BARS.decideP50Us],
    [`decide p99 under ${BARS.decideP99Us} µs`, worst('p99') < BARS.decideP99Us],
    [`compile and prepare 1,000 rules under ${BARS.compileMs} ms`, Math.min(...first) < BARS.compileMs],
  ]
  for (const [bar, met] of bars) console.log(`${met ? 'met   ' : 'MISSED'} ${bar}`)
  process.exitCode = bars.every(([, met]) => met) ? 0 : 1
}
