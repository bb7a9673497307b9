/** `npm run fuzz [-- --seed N] [--count N] [--from N]`: what fuzz.test.ts does with 20,000 requests, with 1,000,000. */
import { parseArgs } from 'node:util'
import { fuzzInProcess } from './in-process.ts'
import { fuzz } from './run.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    count: { type: 'string', default: '1000000' },
    from: { type: 'string', default: '0' },
  },
})
const [seed, count, from] = [Number(values.seed), Number(values.count), Number(values.from)]
console.log(`seed ${seed}: requests ${from} to ${from + count - 1}`)
const began = performance.now()
const pure = fuzzInProcess({ seed, from, count })
console.log(
  `in process: ${pure.texts} texts, ${pure.parsed} of them JSON to the gate, longest ${pure.longestMs.toFixed(1)} ms of CPU, ${pure.problems.length} problems`,
)
const report = await fuzz({ seed, from, count, say: (line) => console.log(line) })
const problems = [...pure.problems, ...report.problems]
for (const problem of pure.problems) console.error(problem)
console.log(
  Object.entries(report.outcomes)
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, times]) => `  ${times} ${outcome}`)
    .join('\n'),
)
console.log(
  `${report.requests} requests in ${((performance.now() - began) / 1000).toFixed(0)} s: ${report.forwarded} forwarded, ${report.replayed} decided again, longest turn ${report.longestTurnMs.toFixed(0)} ms of CPU, ${problems.length} problems`,
)
process.exitCode = problems.length === 0 && report.requests === count ? 0 : 1
