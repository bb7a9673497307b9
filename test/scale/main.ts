/** `npm run scale [-- --agents N] [--seed N] [--streams N] [--profiles DIR]`: exits with 1 when a bar is missed. */
import { mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { bars, report } from './figures.ts'
import { measure } from './measure.ts'

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: '2000' },
    namespaces: { type: 'string', default: '20' },
    streams: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    /** A folder for CPU profiles of operator, ledger and webhook. */
    profiles: { type: 'string' },
  },
})
if (values.profiles) mkdirSync(values.profiles, { recursive: true })
const figures = await measure({
  agents: Number(values.agents),
  namespaces: Number(values.namespaces),
  streams: Number(values.streams),
  seed: Number(values.seed),
  relistSeconds: 20,
  quietMs: 3_000,
  profiles: values.profiles,
  say: (line) => console.error(line),
})
console.log(report(figures))
process.exitCode = bars(figures).every(([, met]) => met) ? 0 : 1
