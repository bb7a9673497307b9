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

/** Collects NAME=VALUE given any number of times. */
export const pairs =
  (check: (value: string) => string | undefined) =>
  (text: string, before: Record<string, string> = {}): Record<string, string> => {
    const [name, ...rest] = text.split('=')
    const value = rest.join('=')
    if (!name || !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name) || !value)
      throw new InvalidArgumentError('must be NAME=VALUE, NAME in lower case.')
    if (before[name]) throw new InvalidArgumentError(`names ${name} twice.`)
    const problem = check(value)
    if (problem) throw new InvalidArgumentError(problem)
    return { ...before, [name]: value }
  }
/** For {@link pairs}. */
export const httpUrl = (value: string) =>
  URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) ? undefined : 'must have an http or https URL.'
