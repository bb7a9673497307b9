/** Every version the local cluster, the images and the tests are made of. Changing one makes a new cache entry. */
export const versions = {
  etcd: '3.6.16',
  kubernetes: '1.34.4',
  /** Newer and older Cilium releases need modules that the public proxy does not have. */
  cilium: '1.18.4',
  helm: '3.21.4',
  kind: '0.33.0',
  /** LLVM of Debian 12 that Cilium's BPF programs are compiled with. */
  llvm: '19',
} as const
