import { delimiter, join } from 'node:path'

/** All the command line takes from its environment. */
export interface CliConfig {
  /** Files as kubectl reads them, the first one's values win. */
  kubeconfigs: string[]
  otlpEndpoint?: string
  logLevel: string
}

export const readCliConfig = (env: Record<string, string | undefined>): CliConfig => ({
  kubeconfigs: (env.KUBECONFIG ?? '')
    .split(delimiter)
    .filter(Boolean)
    .concat(env.KUBECONFIG ? [] : [join(env.HOME ?? '/', '.kube', 'config')]),
  otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT || undefined,
  logLevel: env.REMIT_LOG_LEVEL || 'warn',
})
