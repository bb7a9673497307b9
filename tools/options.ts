import { parseArgs } from 'node:util'
import type { ClusterOptions } from './cluster/cluster.ts'

/** The flags that choose a cluster, as every command that needs one takes them; what else was given is in `rest`. */
export const clusterOptions = (args = process.argv.slice(2)): ClusterOptions & { rest: string[] } => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { context: { type: 'string' }, provider: { type: 'string' } },
  })
  const { context, provider } = values
  if (provider !== undefined && provider !== 'local' && provider !== 'kind')
    throw new Error('--provider must be local or kind')
  return { context, provider, rest: positionals }
}
