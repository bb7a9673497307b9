import { versions } from './versions.ts'

/** How one program is built from a pinned Go module under `tools/cluster/go/<module>`. */
export type Recipe = {
  /** Folder under `tools/cluster/go` that holds go.mod and go.sum. */
  module: string
  version: string
  /** The main package. */
  pkg: string
  /** The main package is not in a module: that program writes it, from the file `manifest` beside go.mod. */
  generated?: { by: 'otel-builder'; manifest: string }
  ldflags: string
  tags?: string
  /** A folder of the module `from` that the program needs at run time, copied beside it as `to`. */
  data?: { from: string; folder: string; to: string }
  /** Seconds it takes with nothing cached on two cores; shown until a real duration is remembered. */
  seconds: number
}

const kubernetesFlags = [
  '-s -w',
  `-X k8s.io/component-base/version.gitVersion=v${versions.kubernetes}`,
  `-X k8s.io/component-base/version.gitMajor=${versions.kubernetes.split('.')[0]}`,
  `-X k8s.io/component-base/version.gitMinor=${versions.kubernetes.split('.')[1]}`,
].join(' ')

// Cilium reaches into the runtime by linkname; Go 1.23 and newer refuse that unless told otherwise.
const ciliumFlags = `-s -w -checklinkname=0 -X github.com/cilium/cilium/pkg/version.ciliumVersion=${versions.cilium}`

const kubernetes = (name: string, seconds: number): Recipe => ({
  module: 'kubernetes',
  version: versions.kubernetes,
  pkg: `k8s.io/kubernetes/cmd/${name}`,
  ldflags: kubernetesFlags,
  seconds,
})

const cilium = (path: string, tags: string, seconds: number): Recipe => ({
  module: 'cilium',
  version: versions.cilium,
  pkg: `github.com/cilium/cilium/${path}`,
  ldflags: ciliumFlags,
  tags,
  seconds,
})

/** Every program we build, by the name of its binary, in the order in which a first run needs them. */
export const recipes = {
  etcd: { module: 'etcd', version: versions.etcd, pkg: 'go.etcd.io/etcd/server/v3', ldflags: '-s -w', seconds: 30 },
  'kube-apiserver': kubernetes('kube-apiserver', 160),
  kubectl: kubernetes('kubectl', 25),
  'kube-controller-manager': kubernetes('kube-controller-manager', 30),
  'kube-scheduler': kubernetes('kube-scheduler', 10),
  kubelet: kubernetes('kubelet', 30),
  'kube-proxy': kubernetes('kube-proxy', 10),
  helm: { module: 'helm', version: versions.helm, pkg: 'helm.sh/helm/v3/cmd/helm', ldflags: '-s -w', seconds: 60 },
  'cilium-agent': {
    ...cilium('daemon', 'osusergo', 150),
    data: { from: 'github.com/cilium/cilium', folder: 'bpf', to: 'bpf' },
  },
  'cilium-operator': cilium('operator', 'osusergo,ipam_provider_operator', 40),
  'cilium-cni': cilium('plugins/cilium-cni', 'osusergo', 10),
  kwok: {
    module: 'kwok',
    version: versions.kwok,
    pkg: 'sigs.k8s.io/kwok/cmd/kwok',
    ldflags: `-s -w -X sigs.k8s.io/kwok/pkg/consts.Version=v${versions.kwok}`,
    seconds: 40,
  },
  kind: { module: 'kind', version: versions.kind, pkg: 'sigs.k8s.io/kind', ldflags: '-s -w', seconds: 20 },
  'otel-builder': {
    module: 'otel-builder',
    version: versions.collector,
    pkg: 'go.opentelemetry.io/collector/cmd/builder',
    ldflags: '-s -w',
    seconds: 15,
  },
  otelcol: {
    module: 'otelcol',
    version: versions.collector,
    pkg: '.',
    generated: { by: 'otel-builder', manifest: 'builder-config.yaml' },
    ldflags: '-s -w',
    seconds: 120,
  },
} satisfies Record<string, Recipe>

/** Name of a program that `ensureBinaries` can provide. */
export type BinaryName = keyof typeof recipes
