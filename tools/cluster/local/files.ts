import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { versions } from '../versions.ts'
import { type Layout, local, pauseImage } from './layout.ts'
import { kubeconfig } from './pki.ts'

/** What of the machine the configuration depends on. */
export type Machine = {
  /** Without CAP_SYS_RESOURCE a score below our own cannot be set, and every sandbox would fail. */
  canLowerOomScore: boolean
  /** containerd's snapshotter: overlayfs, or native where the state folder is itself on an overlay. */
  snapshotter: 'overlayfs' | 'native'
}

const capSysResource = 1n << 24n

/** Reads what of the machine matters to the configuration. `stateFs` is the file system type of the state folder. */
export function readMachine(stateFs: string): Machine {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return {
    canLowerOomScore: (BigInt(`0x${effective}`) & capSysResource) !== 0n,
    snapshotter: stateFs === 'overlay' || stateFs === 'overlayfs' ? 'native' : 'overlayfs',
  }
}

/** containerd's configuration: our own root, state, socket and CNI folders, and a second handler for runtimeClassName. */
export function containerdConfig(l: Layout, machine: Machine): string {
  const runtime = (name: string) => `
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}.options]
    SystemdCgroup = false`
  return `version = 2
root = "${l.containerd}"
state = "${l.containerdRun}"
[grpc]
  address = "${l.containerdSocket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${join(l.containerd, 'opt')}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = ${!machine.canLowerOomScore}
  netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${l.cniBin}"
  conf_dir = "${l.cniConf}"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "${machine.snapshotter}"
  default_runtime_name = "runc"
${runtime('runc')}
${runtime('remit-test')}
`
}

/** Pods get a link of their own to the host (ptp), host ports, and Cilium on top for policy. */
export function cniConfig(l: Layout): object {
  return {
    cniVersion: '0.4.0',
    name: 'remit',
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: l.cniData,
          ranges: [[{ subnet: local.podCIDR, gateway: local.podGateway }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
      { type: 'cilium-cni', 'chaining-mode': 'generic-veth', 'log-file': join(l.logs, 'cilium-cni.log') },
    ],
  }
}

/** The kubelet's configuration. Nothing is evicted for lack of disk or memory: a developer's machine is often nearly full. */
export function kubeletConfig(l: Layout): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: local.nodeIP,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(l.pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(l.pki, 'kubelet-serving.crt'),
    tlsPrivateKeyFile: join(l.pki, 'kubelet-serving.key'),
    containerRuntimeEndpoint: `unix://${l.containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    failSwapOn: false,
    healthzBindAddress: '127.0.0.1',
    resolvConf: join(l.config, 'resolv.conf'),
    podLogsDir: l.podLogs,
    volumePluginDir: join(l.kubelet, 'volume-plugins'),
    oomScoreAdj: 0,
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'memory.available': '50Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'nodefs.inodesFree': '1%',
    },
    // Deleted pods and new Secrets are seen sooner than by default; there is one node.
    syncFrequency: '10s',
    nodeStatusUpdateFrequency: '5s',
    shutdownGracePeriod: '0s',
  }
}

/** kube-proxy's configuration; it leaves the machine's connection tracking limits alone. */
export function kubeProxyConfig(l: Layout): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    bindAddress: local.nodeIP,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    clientConnection: { kubeconfig: join(l.config, 'kube-proxy.kubeconfig') },
    mode: 'iptables',
    clusterCIDR: local.clusterCIDR,
    oomScoreAdj: 0,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    iptables: { minSyncPeriod: '0s', syncPeriod: '30s' },
  }
}

/** Writes every configuration file, kubeconfig and plugin folder. Needs the PKI to be there. */
export function writeFiles(l: Layout, machine: Machine, ciliumCni: string): void {
  for (const dir of [l.config, l.pids, l.logs, l.kubelet, l.podLogs, l.cniBin, l.cniConf, l.cniData, l.ciliumPath])
    mkdirSync(dir, { recursive: true })
  mkdirSync(l.run, { recursive: true, mode: 0o700 })
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`
  const write = (file: string, text: string) => writeFileSync(join(l.config, file), text, { mode: 0o600 })
  write('containerd.toml', containerdConfig(l, machine))
  write('kubelet.json', json(kubeletConfig(l)))
  write('kube-proxy.json', json(kubeProxyConfig(l)))
  // There is no cluster DNS, and agents get none: a pod's resolver must not be the machine's.
  write('resolv.conf', '')
  writeFileSync(join(l.cniConf, '10-remit.conflist'), json(cniConfig(l)))
  const pem = (file: string) => readFileSync(join(l.pki, file), 'utf8')
  const kubeconfigOf = (name: string) => kubeconfig(name, pem('ca.crt'), pem(`${name}.crt`), pem(`${name}.key`))
  for (const name of ['controller-manager', 'scheduler', 'kube-proxy', 'kubelet', 'cilium'])
    write(`${name}.kubeconfig`, kubeconfigOf(name))
  writeFileSync(l.kubeconfig, kubeconfigOf('admin'), { mode: 0o600 })
  const link = (target: string, path: string) => {
    rmSync(path, { force: true })
    symlinkSync(target, path)
  }
  for (const plugin of readdirSync('/usr/lib/cni')) link(join('/usr/lib/cni', plugin), join(l.cniBin, plugin))
  if (!existsSync(join(l.cniBin, 'cilium-cni'))) copyFileSync(ciliumCni, join(l.cniBin, 'cilium-cni'))
  chmodSync(join(l.cniBin, 'cilium-cni'), 0o755)
  for (const tool of ['clang', 'llc']) link(`/usr/lib/llvm-${versions.llvm}/bin/${tool}`, join(l.ciliumPath, tool))
}
