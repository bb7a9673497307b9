import { waitLine } from './agents.ts'
import { type AgentOptions, agentOf } from './company.ts'
import { apply, ok } from './kubectl.ts'

/** A program that stays until it is told to end, and then does not keep its pod waiting. */
export const IDLE = "process.on('SIGTERM', () => process.exit()); setInterval(() => {}, 60_000)"

/**
 * Helpers for the programs that tests run in containers; `reach` says what came of a TCP connection, `http` of a GET:
 * a status code, or the error's code, "timeout" for what is swallowed.
 */
export const PRELUDE = `
const fs = require('node:fs'), net = require('node:net'), dns = require('node:dns')
const late = (ms, promise) => Promise.race([promise, new Promise((done) => setTimeout(() => done('timeout'), ms).unref())])
const reach = (host, port) => late(2000, new Promise((done) => {
  const socket = net.connect({ host, port })
  socket.once('connect', () => { socket.destroy(); done('connected') })
  socket.once('error', (error) => done(error.code))
}))
const http = (url, headers = {}) => late(3000, new Promise((done) => {
  const request = require(url.startsWith('https') ? 'node:https' : 'node:http')
    .get(url, { headers, rejectUnauthorized: false }, (answer) => { answer.resume(); done(answer.statusCode) })
  request.once('error', (error) => done(error.code))
}))
const report = (value) => console.log('PROBE ' + JSON.stringify(value))
`

/**
 * Runs an agent whose program reports once (\`report(value)\`) and stays, and gives what it reported. \`program\` is the
 * body of an async function; \`input\` is there as \`input\`.
 */
export const probeAgent = async <T>(
  options: Omit<AgentOptions, 'program'>,
  program: string,
  input: unknown,
): Promise<T> => {
  const text = `${PRELUDE}
const input = ${JSON.stringify(input)}
void (async () => { ${program} })().catch((error) => report({ failed: String(error.stack) }))
${IDLE}`
  await apply(agentOf({ ...options, program: text }))
  const line = await waitLine(options.namespace, options.name, /^PROBE /, 90_000)
  return JSON.parse(line.slice('PROBE '.length)) as T
}

/** An ordinary pod of a team: Node, doing nothing, to run programs in with `inPod`. */
export const visitor = (namespace: string, name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'main',
        image: 'remit.local/demo-agent:dev',
        imagePullPolicy: 'IfNotPresent',
        command: ['/usr/bin/node', '-e', "require('node:http').createServer((q, a) => a.end()).listen(8080)"],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
})

/** Runs a program (the body of an async function that reports once) in a pod that is no agent's. */
export const inPod = async <T>(namespace: string, name: string, program: string, input: unknown): Promise<T> => {
  const text = `${PRELUDE}
const input = ${JSON.stringify(input)}
void (async () => { ${program} })().finally(() => process.exit())`
  const out = await ok(['exec', '-n', namespace, name, '--', '/usr/bin/node', '-e', text])
  return JSON.parse(out.slice(out.indexOf('PROBE ') + 'PROBE '.length)) as T
}
