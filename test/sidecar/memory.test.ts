import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signRemit } from '../../lib/core/jws.ts'
import { build } from '../../tools/build/bundles.ts'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import type { ManagedProcess } from '../harness/process.ts'
import { createLedger, LEDGER_NAME } from './ledger-double.ts'
import { message, openSession, post } from './raw-agent.ts'
import { startRawServer } from './raw-server.ts'
import { createWorld, runScript } from './world.ts'

const MIB = 1024 * 1024
/** What the chart gives the sidecar's container. */
const CONTAINER_MIB = 256
/** What the image's flags come to in it. */
const FLAGS = ['--max-old-space-size=153', '--max-semi-space-size=2']
const AGENTS = 4
const AGENT = '0a3c1b52-7c1f-4a58-9d55-1a2b3c4d5e6f'

const filled = (bytes: number, piece: string) => piece.repeat(Math.floor(bytes / Buffer.byteLength(piece)))
const text = (content: string) => JSON.stringify({ content: [{ type: 'text', text: content }] })
const structured = (items: string, more = '') =>
  `{"content":[],"structuredContent":{"all":[${items}0],"more":"${more}"}}`
/** A character that takes more than a byte makes all of a text take two bytes each in memory. */
const WIDE = '\u0101'

/** What a server answers, by the tool, and whether the agent gets it. */
const ANSWERS: Record<string, { result: string; isTaken: boolean; asEvent?: boolean }> = {
  'of 15 MiB': { result: text(filled(15 * MIB, 'x')), isTaken: false },
  'of wide text as an event': { result: text(WIDE + filled(3.9 * MIB, 'x')), isTaken: true, asEvent: true },
  // As many as a message may have, and all else that it may have.
  'of empty objects': { result: structured('{},'.repeat(149_000), WIDE + filled(3.4 * MIB, 'x')), isTaken: true },
  'of fractions among objects': { result: structured(`{},${'1.5,'.repeat(640_000)}`), isTaken: true },
}

describe('what a gate takes', () => {
  const world = createWorld()
  let url = ''
  const sessions: Record<string, string>[] = []
  let sidecar: ManagedProcess

  beforeAll(async () => {
    const server = await startRawServer(({ id, params }, response) => {
      const { result, asEvent } = ANSWERS[String(params?.name).replaceAll('-', ' ')]!
      const answer = `{"jsonrpc":"2.0","id":${id},"result":${result}}`
      response.writeHead(200, { 'content-type': asEvent ? 'text/event-stream' : 'application/json' })
      response.end(asEvent ? `data: ${answer}\n\n` : answer)
    })
    world.onClose(server.close)
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const kid = 'k1'
    const ledger = await createLedger(() => 'token')
    world.onClose(() => ledger.stop())
    const issuedAt = '2026-11-21T10:00:00Z'
    ledger.publish(
      await signRemit(
        {
          version: 1,
          cluster: 'cluster-1',
          agent: {
            id: AGENT,
            namespace: 'lab',
            name: 'raw',
            createdBy: { username: 'ana@corp.example', at: issuedAt },
          },
          generation: 1,
          epoch: 1,
          issuedAt,
          owner: { group: 'team', spec: { members: [{ name: 'ana' }], onCall: { owner: 'ana' } } },
          rules: [
            {
              policy: 'lab/raw',
              mode: 'Enforce',
              type: 'tool',
              name: 'all',
              match: { servers: ['raw'] },
              effect: 'Allow',
            },
          ],
          servers: [{ name: 'raw', url: server.url }],
          models: [],
          egress: { cidrs: [] },
          sources: [],
        },
        { kid, privateKey },
      ),
    )
    const [port = 0, health = 0] = await freePorts(2)
    const [bundle] = await build(['sidecar.mjs'], world.path('bundle'))
    mkdirSync(world.path('credentials'))
    writeFileSync(world.path('token'), 'token')
    sidecar = await runScript(
      world,
      bundle!.file,
      [],
      {
        NODE_OPTIONS: FLAGS.join(' '),
        REMIT_CLUSTER: 'cluster-1',
        REMIT_NAMESPACE: 'lab',
        REMIT_AGENT: 'raw',
        REMIT_AGENT_ID: AGENT,
        REMIT_LEDGER_URL: ledger.url(),
        REMIT_LEDGER_NAME: LEDGER_NAME,
        REMIT_LEDGER_CA: ledger.ca,
        REMIT_ANCHORS: JSON.stringify([{ kty: 'OKP', crv: 'Ed25519', x: publicKey.export({ format: 'jwk' }).x, kid }]),
        POD_NAME: 'agent-raw',
        POD_UID: 'pod-1',
        REMIT_TOKEN_FILE: world.path('token'),
        REMIT_CREDENTIALS_DIR: world.path('credentials'),
        REMIT_SPOOL_DIR: world.path('spool'),
        REMIT_PORT: String(port),
        REMIT_HEALTH_PORT: String(health),
      },
      'sidecar',
    )
    await eventually(async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).status === 200)
    url = `http://127.0.0.1:${port}/mcp/raw`
    for (let i = 0; i < AGENTS; i++) sessions.push(await openSession(url))
  })
  afterAll(() => world.close())

  /** Without the pages of files, which a container gives back before anything in it is killed. */
  const most = () => {
    const status = readFileSync(`/proc/${sidecar.pid}/status`, 'utf8')
    const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
    return of('VmHWM') - of('RssFile')
  }

  it.each(Object.entries(ANSWERS))('fits its container while four requests get an answer %s', async (name, answer) => {
    // Each is measured by itself.
    writeFileSync(`/proc/${sidecar.pid}/clear_refs`, '5')
    const texts = await Promise.all(
      sessions.map(async (session) =>
        (await post(url, message(1, 'tools/call', { name: name.replaceAll(' ', '-') }), session)).text(),
      ),
    )
    for (const told of texts) {
      const code = /"dev.remit\/code":"(\w+)"/.exec(told.slice(0, 1_000))?.[1]
      expect(code).toBe(answer.isTaken ? undefined : 'UpstreamInvalid')
      if (answer.isTaken) expect(told.length).toBeGreaterThan(answer.result.length)
    }
    expect(most()).toBeLessThan(CONTAINER_MIB)
  })
})
