import { type Command, InvalidArgumentError } from 'commander'
import { duration } from './render/time.ts'

export const clusterFlags = (command: Command): Command =>
  command
    .option('-n, --namespace <namespace>', 'namespace, instead of that of the context')
    .option('--context <name>', 'context of the kubeconfig, instead of the current one')
    .option('--kubeconfig <file>', 'kubeconfig file')

export const outputFlag = (command: Command): Command =>
  command.option('-o, --output <format>', 'text or json', (value: string) => {
    if (value !== 'json' && value !== 'text') throw new InvalidArgumentError('must be text or json.')
    return value
  })

/** "1h" as milliseconds. */
export const durationValue = (value: string): number => {
  const ms = duration(value)
  if (!ms) throw new InvalidArgumentError('must be a number with s, m, h or d, such as 30m.')
  return ms
}
