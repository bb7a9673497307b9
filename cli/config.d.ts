/** All the command line takes from its environment. */
export interface CliConfig {
  /** Files as kubectl reads them, the first one's values win. */
  kubeconfigs: string[]
  otlpEndpoint?: string
  logLevel: string
}
export declare const readCliConfig: (env: Record<string, string | undefined>) => CliConfig
