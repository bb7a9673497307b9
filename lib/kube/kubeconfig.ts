import { KubeConfig } from '@kubernetes/client-node/dist/config.js'

export type { KubeConfig }

/** Where credentials come from. The caller's `config.ts` reads the environment and says which. */
export type KubeConfigSource =
  /** The pod's own ServiceAccount, from its mounted token and `KUBERNETES_SERVICE_HOST`. */
  | { from: 'cluster' }
  /** Files as in `$KUBECONFIG`, the first one's values win; `context` instead of the current one. */
  | { from: 'files'; files: string[]; context?: string }
  /** The text of a kubeconfig. */
  | { from: 'text'; text: string; context?: string }

/** @throws Error when a file cannot be read or the context does not exist. */
export const loadKubeConfig = (source: KubeConfigSource): KubeConfig => {
  const config = new KubeConfig()
  if (source.from === 'cluster') {
    config.loadFromCluster()
    return config
  }
  if (source.from === 'text') config.loadFromString(source.text)
  else loadFiles(config, source.files)
  if (source.context !== undefined) {
    if (!config.getContextObject(source.context)) throw new Error(`no context ${source.context} in the kubeconfig`)
    config.setCurrentContext(source.context)
  }
  return config
}

const loadFiles = (config: KubeConfig, files: string[]) => {
  const [first, ...rest] = files
  if (first === undefined) throw new Error('no kubeconfig file given')
  config.loadFromFile(first)
  for (const file of rest) {
    const more = new KubeConfig()
    more.loadFromFile(file)
    merge(config, more)
  }
}

/** As kubectl merges: what an earlier file named stays. client-node's own merge throws on a name seen twice. */
const merge = (config: KubeConfig, more: KubeConfig) => {
  const missing = <T extends { name: string }>(have: T[], add: T[]) =>
    add.filter((item) => !have.some((known) => known.name === item.name))
  config.clusters = [...config.clusters, ...missing(config.clusters, more.clusters)]
  config.users = [...config.users, ...missing(config.users, more.users)]
  config.contexts = [...config.contexts, ...missing(config.contexts, more.contexts)]
  if (!config.currentContext) config.currentContext = more.currentContext
}
