import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Receipt } from '../../lib/api/receipt.ts'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { type ManagedProcess, startProcess } from '../harness/process.ts'
import { SYSTEM, startWorld, type World } from './world.ts'

const main = fileURLToPath(new URL('../../sidecar/main.ts', import.meta.url))
let world: World
let dir: string
let sidecar: ManagedProcess | undefined
beforeAll(async () => {
  world = await startWorld()
  await world.ledger.start()
  dir = mkdtempSync(join(tmpdir(), 'remit-sidecar-'))
}, 120_000)
afterAll(async () => {
  await sidecar?.stop()
  await world?.stop()
  rmSync(dir, { recursive: true, force: true })
})

test('our sidecar follows its remit and its receipts arrive, through kill -9 of both', async () => {
  const agent = await world.agent('payments', 'billing-bot')
  await world.putRemit(agent, 1)
  const [port, healthPort] = (await freePorts(2)) as [number, number]
  writeFileSync(join(dir, 'token'), agent.token)
  const logFile = join(dir, 'sidecar.log')
  const start = async () => {
    sidecar = await startProcess({
      command: process.execPath,
      args: [main],
      logFile,
      removeOnOrphan: dir,
      env: {
        REMIT_CLUSTER: 'test',
        REMIT_NAMESPACE: agent.namespace,
        REMIT_AGENT: agent.name,
        REMIT_AGENT_ID: agent.id,
        REMIT_LEDGER_URL: `https://127.0.0.1:${world.port}`,
        REMIT_LEDGER_NAME: `remit-ledger.${SYSTEM}.svc`,
        REMIT_LEDGER_CA: world.caOfLedger,
        REMIT_ANCHORS: JSON.stringify([world.anchor]),
        POD_NAME: agent.pod.name,
        POD_UID: agent.pod.uid,
        REMIT_TOKEN_FILE: join(dir, 'token'),
        REMIT_CREDENTIALS_DIR: dir,
        REMIT_SPOOL_DIR: join(dir, 'spool'),
        REMIT_PORT: String(port),
        REMIT_HEALTH_PORT: String(healthPort),
      },
    })
    const ready = async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status === 200
    await eventually(ready, { timeoutMs: 20_000 }).catch((error) => {
      throw new Error(`the sidecar is not ready:\n${readFileSync(logFile, 'utf8').slice(-4_000)}`, { cause: error })
    })
  }
  const kinds = async () => {
    const path = `/apis/evidence.remit.dev/v1alpha1/namespaces/${agent.namespace}/receipts`
    const { items } = await world.apiserver.client.request<{ items: Receipt[] }>('GET', path)
    return items.filter(({ envelope }) => envelope.kind !== 'heartbeat').map(({ envelope }) => envelope.kind)
  }
  const arrived = (expected: string[]) =>
    eventually(async () => (await kinds()).join() === expected.join(), {
      timeoutMs: 30_000,
      what: expected.join(),
    }).catch(async (error) => {
      throw new Error(
        `${(await kinds()).join()} instead of ${expected.join()}:\n${readFileSync(logFile, 'utf8').slice(-3_000)}`,
        { cause: error },
      )
    })

  await start()
  await arrived(['incarnation', 'remit'])
  await world.putRemit(agent, 2)
  await arrived(['incarnation', 'remit', 'remit'])
  await world.ledger.kill()
  sidecar?.signal('SIGKILL')
  await sidecar?.exited
  await start()
  await world.ledger.start()
  await world.putRemit(agent, 3)
  await eventually(async () => (await kinds()).length >= 5, { timeoutMs: 30_000, what: 'receipts of the second start' })
  const all = await kinds()
  expect(all.filter((kind) => kind === 'incarnation')).toHaveLength(2)
  expect(all.at(-1)).toBe('remit')
  expect(world.ledger.log()).not.toContain('does not continue the one before')
}, 90_000)
