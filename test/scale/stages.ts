/** What kwok does to nodes and pods here, as the kubelet would, without its waiting. Source: kwok's Stage API. */

const running = 'state: {running: {startedAt: {{ Now | Quote }}}}'
const status = `name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  restartCount: 0`

/** A node is there and ready. */
const node = {
  metadata: { name: 'node-ready' },
  spec: {
    resourceRef: { apiGroup: 'v1', kind: 'Node' },
    selector: { matchExpressions: [{ key: '.status.phase', operator: 'NotIn', values: ['Running'] }] },
    next: {
      statusTemplate: `
phase: Running
conditions:
- type: Ready
  status: "True"
  reason: KubeletReady
  message: kubelet is posting ready status
  lastHeartbeatTime: {{ Now | Quote }}
  lastTransitionTime: {{ Now | Quote }}
`,
    },
  },
}

/** The pod is on its node: its native sidecar runs, the agent waits for it. */
const sidecar = {
  metadata: { name: 'sidecar-runs' },
  spec: {
    resourceRef: { apiGroup: 'v1', kind: 'Pod' },
    selector: {
      matchExpressions: [
        { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' },
        { key: '.status.startTime', operator: 'DoesNotExist' },
      ],
    },
    next: {
      statusTemplate: `
phase: Pending
startTime: {{ Now | Quote }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace | Quote }}
conditions:
- {type: Initialized, status: "False", reason: ContainersNotInitialized, lastTransitionTime: {{ Now | Quote }}}
- {type: Ready, status: "False", reason: ContainersNotReady, lastTransitionTime: {{ Now | Quote }}}
- {type: ContainersReady, status: "False", reason: ContainersNotReady, lastTransitionTime: {{ Now | Quote }}}
initContainerStatuses:
{{ range .spec.initContainers }}
- ${status}
  started: true
  ready: true
  ${running}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- ${status}
  started: false
  ready: false
  state: {waiting: {reason: PodInitializing}}
{{ end }}
`,
    },
  },
}

/** Its sidecar has a remit, so the agent runs as well. */
const agent = {
  metadata: { name: 'agent-runs' },
  spec: {
    resourceRef: { apiGroup: 'v1', kind: 'Pod' },
    selector: {
      matchExpressions: [
        { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' },
        { key: '.status.startTime', operator: 'Exists' },
        { key: '.status.phase', operator: 'In', values: ['Pending'] },
      ],
    },
    delay: { durationMilliseconds: 500 },
    next: {
      statusTemplate: `
phase: Running
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ Now | Quote }}}
- {type: Ready, status: "True", lastTransitionTime: {{ Now | Quote }}}
- {type: ContainersReady, status: "True", lastTransitionTime: {{ Now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- ${status}
  started: true
  ready: true
  ${running}
{{ end }}
`,
    },
  },
}

const gone = {
  metadata: { name: 'pod-gone' },
  spec: {
    resourceRef: { apiGroup: 'v1', kind: 'Pod' },
    selector: { matchExpressions: [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }] },
    next: { delete: true },
  },
}

/** The text of the file that kwok is given by `--config`. */
export const kwokConfig = (): string =>
  [
    {
      apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
      kind: 'KwokConfiguration',
      // A file that says anything has to say all of these.
      options: {
        podPlayStageParallelism: 8,
        nodePlayStageParallelism: 4,
        podsOnNodeSyncParallelism: 1,
        enableDebuggingHandlers: false,
      },
    },
    ...[node, sidecar, agent, gone].map((stage) => ({ apiVersion: 'kwok.x-k8s.io/v1alpha1', kind: 'Stage', ...stage })),
  ]
    .map((document) => JSON.stringify(document))
    .join('\n---\n')
