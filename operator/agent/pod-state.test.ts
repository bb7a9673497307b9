import { expect, test } from 'vitest'
import type { LegacyEvent, Pod } from '../../lib/kube/resources.ts'
import { podState } from './pod-state.ts'

const status = (name: string, state: object, more: object = {}) => ({ name, image: `${name}:1`, state, ...more })
const up = { running: { startedAt: '2026-11-21T02:00:00Z' } }
const pod = (value: object, metadata: object = {}) =>
  ({
    metadata: { name: 'agent-bot', namespace: 'payments', uid: 'u1', ...metadata },
    spec: {
      volumes: [
        {
          name: 'remit-credentials',
          projected: {
            sources: [{ secret: { name: 'billing-token', items: [{ key: 'token', path: 'server-billing' }] } }],
          },
        },
      ],
    },
    status: value,
  }) as unknown as Pod
const sidecar = (state: object, more: object = {}) => [status('remit-sidecar', state, { started: true, ...more })]
const event = (reason: string, message: string, uid = 'u1', lastTimestamp = '2026-11-21T02:00:00Z') =>
  ({ metadata: { name: 'e' }, involvedObject: { uid }, type: 'Warning', reason, message, lastTimestamp }) as LegacyEvent
const mount = (message: string) => [
  event('FailedMount', `MountVolume.SetUp failed for volume "remit-credentials" : ${message}`),
]

test.each([
  ['being deleted', pod({ phase: 'Running' }, { deletionTimestamp: 'x' }), [], { at: 'Terminating' }],
  ['succeeded', pod({ phase: 'Succeeded' }), [], { at: 'Completed' }],
  [
    'failed',
    pod({
      phase: 'Failed',
      containerStatuses: [
        status('agent', {
          terminated: {
            exitCode: 137,
            reason: 'OOMKilled',
            startedAt: '2026-11-21T02:00:00Z',
            finishedAt: '2026-11-21T02:01:00Z',
          },
        }),
      ],
    }),
    [],
    { at: 'Ended', ending: 'exit code 137 (OOMKilled)', endedAt: Date.parse('2026-11-21T02:01:00Z'), ranMs: 60_000 },
  ],
  [
    'evicted',
    pod({ phase: 'Failed', reason: 'Evicted', startTime: '2026-11-21T02:00:00Z' }),
    [],
    { at: 'Ended', ending: 'Evicted', ranMs: 0 },
  ],
  [
    'unschedulable',
    pod({ conditions: [{ type: 'PodScheduled', status: 'False', message: 'no room.' }] }),
    [],
    { at: 'Stuck', code: 'Unschedulable', values: { detail: 'no room' } },
  ],
  [
    'image of the agent',
    pod({ containerStatuses: [status('agent', { waiting: { reason: 'ErrImagePull', message: 'not found' } })] }),
    [],
    { code: 'ImageCannotBePulled', values: { image: 'agent:1', detail: 'not found' } },
  ],
  [
    'image of the sidecar',
    pod({ initContainerStatuses: sidecar({ waiting: { reason: 'ErrImageNeverPull' } }) }),
    [],
    { code: 'ImageCannotBePulled', values: { image: 'remit-sidecar:1' } },
  ],
  [
    'bad config',
    pod({
      containerStatuses: [
        status('agent', { waiting: { reason: 'CreateContainerConfigError', message: 'configmap "x" not found' } }),
      ],
    }),
    [],
    { code: 'ContainerRefused' },
  ],
  [
    'sidecar in a crash loop',
    pod({
      initContainerStatuses: sidecar(
        { waiting: { reason: 'CrashLoopBackOff' } },
        { restartCount: 4, lastState: { terminated: { exitCode: 1 } } },
      ),
    }),
    [],
    { code: 'SidecarNotReady', values: { agent: 'bot' } },
  ],
  [
    'sidecar down under a running agent',
    pod({ initContainerStatuses: sidecar({ terminated: {} }), containerStatuses: [status('agent', up)] }),
    [],
    { code: 'SidecarNotReady' },
  ],
  [
    'running',
    pod({ initContainerStatuses: sidecar(up), containerStatuses: [status('agent', up)] }),
    [],
    { at: 'Running' },
  ],
  [
    'sidecar without a remit',
    pod({ initContainerStatuses: sidecar(up, { started: false }) }),
    [],
    { at: 'Starting', detail: 'the sidecar has no remit yet' },
  ],
  [
    'sidecar finishing',
    pod({ initContainerStatuses: sidecar(up), containerStatuses: [status('agent', { terminated: { exitCode: 0 } })] }),
    [],
    { at: 'Starting' },
  ],
  ['nothing known', pod({}), [], { at: 'Starting' }],
  [
    'Secret missing',
    pod({}),
    mount('secret "billing-token" not found'),
    { code: 'SecretMissing', values: { name: 'billing-token', key: 'token', namespace: 'payments' } },
  ],
  [
    'key missing',
    pod({}),
    mount('references non-existent secret key: token'),
    { code: 'SecretMissing', values: { name: 'billing-token', key: 'token' } },
  ],
  ['a volume', pod({}), mount('configmap "x" not found'), { code: 'ContainerRefused' }],
  [
    'the sandbox',
    pod({}),
    [event('FailedCreatePodSandBox', 'no runtime for "x" is configured')],
    { code: 'SandboxRefused' },
  ],
  ["another pod's event", pod({}), [event('FailedMount', 'secret "a" not found', 'u0')], { at: 'Starting' }],
  [
    'an event of before it ran',
    pod({ initContainerStatuses: sidecar(up), containerStatuses: [status('agent', up)] }),
    mount('secret "billing-token" not found'),
    { at: 'Running' },
  ],
])('%s', (_, given, events, expected) => {
  expect(podState(given, events)).toMatchObject(expected)
})
