/**
 * `npm run test:properties [-- --seed N] [--rounds N]`: the tests that make up their own cases, which `npm test` tries
 * with one seed, with N seeds from this one on.
 */
import { globSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CannotSetUp } from './cluster/cluster.ts'
import { runTool } from './run-tool.ts'
import { close } from './test/tally.ts'
import { runVitest } from './test/vitest.ts'

const whole = (name: string, text: string): number => {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new CannotSetUp(`--${name} is "${text}". Use a whole number.`)
}

await runTool(async () => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      rounds: { type: 'string', default: '10' },
    },
  })
  const [first, rounds] = [whole('seed', values.seed), whole('rounds', values.rounds)]
  const files = globSync('{lib,operator,webhook,sidecar,ledger,bridge,cli,test}/**/*.test.ts').filter((file) =>
    /from 'fast-check'/.test(readFileSync(file, 'utf8')),
  )
  const tallies = []
  for (let seed = first; seed < first + rounds; seed++) {
    console.log(`seed ${seed}`)
    tallies.push(
      await runVitest('properties', ['--config', 'vitest.config.ts', ...files], { REMIT_SEED: String(seed) }),
    )
  }
  const { line, code } = close(tallies)
  console.log(line)
  return code
})
