/** Every version the local cluster, the images and the tests are made of. Changing one makes a new cache entry. */
export const versions = {
  etcd: '3.6.16',
  kubernetes: '1.34.4',
  /** Newer and older Cilium releases need modules that the public proxy does not have. */
  cilium: '1.18.4',
  helm: '3.21.4',
  kind: '0.33.0',
  /** Simulated nodes for `npm run scale`. */
  kwok: '0.8.0',
  /** The OpenTelemetry Collector, its builder, and the components it is put together from. */
  collector: '0.158.0',
  /** LLVM of Debian 12 that Cilium's BPF programs are compiled with. */
  llvm: '19',
} as const
