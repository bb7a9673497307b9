/**
 * `npm run test:properties [-- --seed N] [--rounds N]`: the tests that make up their own cases, which `npm test` tries
 * with one seed, with N seeds from this one on.
 */
import { globSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { runTool } from './run-tool.ts'
import { close } from './test/tally.ts'
import { runVitest } from './test/vitest.ts'

await runTool(async () => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      rounds: { type: 'string', default: '10' },
    },
  })
  const [first, rounds] = [Number(values.seed), Number(values.rounds)]
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
