import { dirname, join } from 'node:path'
import type { BinaryName } from '../recipes.ts'
import { type Layout, local } from './layout.ts'

/** The processes of the local cluster, in the order in which they start. */
export const components = [
  'containerd',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'cilium-operator',
  'cilium-agent',
] as const

export type Component = (typeof components)[number]

/** A process to start: what, with which arguments, and what it finds in its environment besides PATH. */
export type Command = { file: string; args: string[]; env?: Record<string, string> }

const logVerbosity = '--v=1'

/** The command lines of every component. Pure: paths in, arguments out. */
export function commands(l: Layout, bin: (name: BinaryName) => string, path: string): Record<Component, Command> {
  const pki = (file: string) => join(l.pki, file)
  const config = (file: string) => join(l.config, file)
  return {
    containerd: { file: 'containerd', args: ['--config', config('containerd.toml')] },
    etcd: {
      file: bin('etcd'),
      args: [
        `--data-dir=${l.etcd}`,
        // A throw-away cluster: a power cut may lose it, and it starts in a third of the time.
        '--unsafe-no-fsync',
        `--listen-client-urls=https://127.0.0.1:${local.etcdPort}`,
        `--advertise-client-urls=https://127.0.0.1:${local.etcdPort}`,
        `--listen-peer-urls=http://127.0.0.1:${local.etcdPeerPort}`,
        `--initial-advertise-peer-urls=http://127.0.0.1:${local.etcdPeerPort}`,
        `--initial-cluster=default=http://127.0.0.1:${local.etcdPeerPort}`,
        '--client-cert-auth=true',
        `--trusted-ca-file=${pki('etcd-ca.crt')}`,
        `--cert-file=${pki('etcd.crt')}`,
        `--key-file=${pki('etcd.key')}`,
        '--log-level=warn',
      ],
    },
    'kube-apiserver': {
      file: bin('kube-apiserver'),
      args: [
        // Only the bridge's address: nothing outside of this machine reaches it.
        `--bind-address=${local.nodeIP}`,
        `--advertise-address=${local.nodeIP}`,
        `--secure-port=${local.apiPort}`,
        `--etcd-servers=https://127.0.0.1:${local.etcdPort}`,
        `--etcd-cafile=${pki('etcd-ca.crt')}`,
        `--etcd-certfile=${pki('apiserver-etcd-client.crt')}`,
        `--etcd-keyfile=${pki('apiserver-etcd-client.key')}`,
        `--client-ca-file=${pki('ca.crt')}`,
        `--tls-cert-file=${pki('apiserver.crt')}`,
        `--tls-private-key-file=${pki('apiserver.key')}`,
        `--kubelet-certificate-authority=${pki('ca.crt')}`,
        `--kubelet-client-certificate=${pki('apiserver-kubelet-client.crt')}`,
        `--kubelet-client-key=${pki('apiserver-kubelet-client.key')}`,
        '--kubelet-preferred-address-types=InternalIP',
        `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
        '--requestheader-allowed-names=front-proxy-client',
        '--requestheader-username-headers=X-Remote-User',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
        `--proxy-client-cert-file=${pki('front-proxy-client.crt')}`,
        `--proxy-client-key-file=${pki('front-proxy-client.key')}`,
        '--enable-aggregator-routing=true',
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        `--service-account-key-file=${pki('sa.pub')}`,
        `--service-account-signing-key-file=${pki('sa.key')}`,
        `--service-cluster-ip-range=${local.serviceCIDR}`,
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        '--profiling=false',
        logVerbosity,
      ],
    },
    'kube-controller-manager': {
      file: bin('kube-controller-manager'),
      args: [
        `--kubeconfig=${config('controller-manager.kubeconfig')}`,
        `--authentication-kubeconfig=${config('controller-manager.kubeconfig')}`,
        `--authorization-kubeconfig=${config('controller-manager.kubeconfig')}`,
        '--bind-address=127.0.0.1',
        '--allocate-node-cidrs=true',
        `--cluster-cidr=${local.clusterCIDR}`,
        `--service-cluster-ip-range=${local.serviceCIDR}`,
        `--root-ca-file=${pki('ca.crt')}`,
        `--cluster-signing-cert-file=${pki('ca.crt')}`,
        `--cluster-signing-key-file=${pki('ca.key')}`,
        `--service-account-private-key-file=${pki('sa.key')}`,
        `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
        '--use-service-account-credentials=true',
        // One process of each kind: waiting for a lease only costs time.
        '--leader-elect=false',
        '--profiling=false',
        logVerbosity,
      ],
    },
    'kube-scheduler': {
      file: bin('kube-scheduler'),
      args: [
        `--kubeconfig=${config('scheduler.kubeconfig')}`,
        `--authentication-kubeconfig=${config('scheduler.kubeconfig')}`,
        `--authorization-kubeconfig=${config('scheduler.kubeconfig')}`,
        '--bind-address=127.0.0.1',
        '--leader-elect=false',
        '--profiling=false',
        logVerbosity,
      ],
    },
    kubelet: {
      file: bin('kubelet'),
      args: [
        `--config=${config('kubelet.json')}`,
        `--kubeconfig=${config('kubelet.kubeconfig')}`,
        `--root-dir=${l.kubelet}`,
        `--hostname-override=${local.node}`,
        `--node-ip=${local.nodeIP}`,
        logVerbosity,
      ],
    },
    'kube-proxy': {
      file: bin('kube-proxy'),
      args: [`--config=${config('kube-proxy.json')}`, `--hostname-override=${local.node}`, logVerbosity],
    },
    'cilium-operator': {
      file: bin('cilium-operator'),
      args: [
        `--k8s-kubeconfig-path=${config('cilium.kubeconfig')}`,
        '--k8s-namespace=kube-system',
        '--identity-allocation-mode=crd',
        '--ipam=kubernetes',
        '--enable-ipv6=false',
        '--set-cilium-node-taints=false',
        '--set-cilium-is-up-condition=false',
        '--gops-port=0',
      ],
    },
    'cilium-agent': {
      file: bin('cilium-agent'),
      args: [
        `--k8s-kubeconfig-path=${config('cilium.kubeconfig')}`,
        '--k8s-namespace=kube-system',
        '--identity-allocation-mode=crd',
        '--ipam=kubernetes',
        '--routing-mode=native',
        `--ipv4-native-routing-cidr=${local.clusterCIDR}`,
        '--enable-ipv6=false',
        '--enable-ipv4-masquerade=false',
        '--kube-proxy-replacement=false',
        '--cni-chaining-mode=generic-veth',
        '--cni-exclusive=false',
        '--enable-endpoint-routes=true',
        '--enable-local-node-route=false',
        '--enable-l7-proxy=false',
        '--enable-hubble=false',
        '--enable-health-checking=false',
        '--enable-endpoint-health-checking=false',
        // Without it probes from the node are blocked by ingress policies.
        `--local-router-ipv4=${local.podGateway}`,
        // Without it an ipBlock does not match the node.
        '--policy-cidr-match-mode=nodes',
        `--devices=${local.bridge}`,
        `--bpf-root=${join(l.cilium, 'bpf')}`,
        `--cgroup-root=${join(l.cilium, 'cg')}`,
        `--state-dir=${join(l.cilium, 'state')}`,
        `--lib-dir=${dirname(bin('cilium-agent'))}`,
        `--socket-path=${l.ciliumSocket}`,
        '--gops-port=0',
      ],
      env: { CILIUM_K8S_NAMESPACE: 'kube-system', K8S_NODE_NAME: local.node, PATH: `${l.ciliumPath}:${path}` },
    },
  }
}
