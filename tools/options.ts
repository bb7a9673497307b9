import { parseArgs } from 'node:util'
import { CannotSetUp, type ClusterOptions } from './cluster/cluster.ts'

/** The flags that choose a cluster, as every command that needs one takes them; what else was given is in `rest`. */
export const clusterOptions = (
  args = process.argv.slice(2),
): ClusterOptions & { registry?: string; rest: string[] } => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { context: { type: 'string' }, provider: { type: 'string' }, registry: { type: 'string' } },
  })
  const { context, provider, registry } = values
  if (provider !== undefined && provider !== 'local' && provider !== 'kind')
    throw new CannotSetUp(`--provider is "${provider}". Use local or kind.`)
  return { context, provider, registry, rest: positionals }
}
