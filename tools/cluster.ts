import { parseArgs } from 'node:util'
import { checkDown } from './cluster/check-down.ts'
import { CannotSetUp, downCluster, ensureCluster } from './cluster/cluster.ts'
import { localStatus } from './cluster/status.ts'
import { defaultProgress } from './progress.ts'
import { runTool } from './run-tool.ts'

const usage = `Usage: npm run cluster:up|cluster:down|cluster:status [-- OPTIONS]
  --context NAME           use this existing cluster of your kubeconfig; never used unless named
  --provider local|kind    without it: kind where Docker answers, otherwise local`

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { context: { type: 'string' }, provider: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  })
  const { provider } = values
  if (values.help || positionals.length !== 1) throw new CannotSetUp(usage)
  if (provider !== undefined && provider !== 'local' && provider !== 'kind')
    throw new CannotSetUp(`--provider is "${provider}". Use local or kind.`)
  const options = { context: values.context, provider } as const
  const progress = defaultProgress()
  if (positionals[0] === 'up') {
    const cluster = await ensureCluster(options, progress)
    console.log(`The ${cluster.provider} cluster is up. Use it with:
  export KUBECONFIG=${cluster.kubeconfig}
  ${cluster.kubectl} --context ${cluster.context} get nodes`)
    return 0
  }
  if (positionals[0] === 'down') {
    await downCluster(options, progress)
    console.log(
      options.context ? 'An existing cluster is not ours to take down; nothing was changed.' : 'The cluster is down.',
    )
    return 0
  }
  if (positionals[0] === 'status') {
    const { healthy, lines } = await localStatus()
    console.log(lines.join('\n'))
    return healthy ? 0 : 1
  }
  if (positionals[0] === 'check-down') return (await checkDown(progress, console.log)) === 0 ? 0 : 1
  throw new CannotSetUp(`Unknown command "${positionals[0]}".\n${usage}`)
}

await runTool(() => main(process.argv.slice(2)))
