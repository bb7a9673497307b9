import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Request, Response } from 'express'
import { expect, test } from 'vitest'
import type { StoredReceipt } from '../store/record.ts'
import { openStore } from '../store/store.ts'
import { sendHistory } from './send.ts'

const COUNT = 3_000
const at = Date.parse('2026-10-05T02:00:00Z')
const facts = { note: ['x'.repeat(8_000)] }

/** As the store keeps it; what it says of its chain is not looked at here. */
const intent = (seq: number): StoredReceipt => ({
  at: new Date(at).toISOString(),
  namespace: 'payments',
  agent: 'bot',
  hash: '',
  receipt: {
    envelope: {
      v: 1,
      kind: 'intent',
      agent: 'id',
      incarnation: 'abcdefabcdef',
      epoch: 1,
      seq,
      prev: '',
      time: new Date(at + seq).toISOString(),
      body: '',
      sig: '',
    },
    body: {
      kind: 'intent',
      agent: { id: 'id', namespace: 'payments', name: 'bot', createdBy: { username: 'ana', at: '' } },
      owner: { group: 'team', onCall: [] },
      remit: { digest: '', generation: 1 },
      call: { type: 'tool', server: 's', tool: 't', argumentsDigest: '', argumentsBytes: 2, facts },
      decision: { effect: 'Allow', reason: '' },
    },
  },
})

test('a long history waits for a slow reader and is whole in the end', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'remit-history-'))
  const store = await openStore({ dir })
  await store.add(Array.from({ length: COUNT }, (_, seq) => intent(seq)))
  const send = sendHistory({ store, agentIdOf: () => 'id', now: () => at + 1_000 })
  let answering: ServerResponse | undefined
  const server = createServer((request, response) => {
    answering = response
    const caller = { username: '', namespace: 'payments', agent: 'bot', podUID: 'pod' } as never
    void send(caller, request as Request, response as Response)
  })
  // A socket whose buffers stay small: over TCP the kernel may take all of it.
  const socketPath = join(dir, 'socket')
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  try {
    const path = `/v1/history?since=${new Date(at).toISOString()}`
    const message = await new Promise<IncomingMessage>((resolve) => get({ socketPath, path }, resolve))
    message.pause()
    await sleep(300)
    // All of it is 24 MB; a page of it is under 2.
    expect(answering?.writableLength).toBeLessThan(4_000_000)
    expect(answering?.writableEnded).toBe(false)
    let text = ''
    message.setEncoding('utf8')
    for await (const chunk of message) text += chunk
    const ids = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .filter(({ kind }) => kind === 'intent')
      .map(({ id }) => id)
    expect(ids).toEqual(Array.from({ length: COUNT }, (_, seq) => `abcdefabcdef-${seq}`))
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await store.close()
    await rm(dir, { recursive: true })
  }
})
