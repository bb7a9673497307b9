import { join } from 'node:path'

/** Names and addresses of the local cluster. Private ranges that the usual Docker, kind and minikube ranges do not touch. */
export const local = {
  context: 'remit-local',
  node: 'remit-local',
  bridge: 'remit0',
  nodeIP: '10.243.0.1',
  podCIDR: '10.244.0.0/24',
  clusterCIDR: '10.244.0.0/16',
  /** First address of podCIDR: the host's end of every pod's link. */
  podGateway: '10.244.0.1',
  serviceCIDR: '10.96.0.0/16',
  kubernetesServiceIP: '10.96.0.1',
  apiPort: 6443,
  etcdPort: 12379,
  etcdPeerPort: 12380,
  /** Where Cilium's CNI plugin looks for the agent; not configurable. */
  ciliumSocket: '/var/run/cilium/cilium.sock',
} as const

/** Image the sandboxes and the canary run: static busybox. */
export const pauseImage = 'remit.local/pause:1'

/** Every file and folder of the local cluster. `state` survives a reboot, `run` (a tmpfs) does not. */
export type Layout = ReturnType<typeof layout>

/** Lays the cluster out below the cache. Sockets are in /run: paths of sockets are limited to 107 bytes. */
export function layout(cacheDir: string, run = '/run/remit-local') {
  const state = join(cacheDir, 'clusters', 'local')
  return {
    state,
    run,
    kubeconfig: join(state, 'kubeconfig'),
    /** The machine before we touched it; present as long as something may have to be undone. */
    before: join(state, 'before.json'),
    /** Written last by `up`: what this cluster was made of. */
    ready: join(state, 'ready.json'),
    pki: join(state, 'pki'),
    config: join(state, 'config'),
    pids: join(state, 'pids'),
    logs: join(state, 'logs'),
    etcd: join(state, 'etcd'),
    kubelet: join(state, 'kubelet'),
    podLogs: join(state, 'pod-logs'),
    containerd: join(state, 'containerd'),
    containerdRun: join(run, 'containerd'),
    containerdSocket: join(run, 'containerd.sock'),
    cniBin: join(state, 'cni', 'bin'),
    cniConf: join(state, 'cni', 'net.d'),
    cniData: join(state, 'cni', 'data'),
    cilium: join(run, 'cilium'),
    ciliumSocket: join(run, 'cilium.sock'),
    /** First on the agent's PATH: clang and llc under their plain names. */
    ciliumPath: join(state, 'cilium-path'),
  }
}
