import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../harness/ports.ts'
import { type Desk, startLegacyDesk, startModernDesk } from './desks.ts'
import { eventsOf, meta, send } from './modern-agent.ts'
import { message, openSession, post } from './raw-agent.ts'
import { createWorld, runScript, waitForPort } from './world.ts'

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: desk, namespace: payments}
spec:
  tools:
  - {name: all, match: {servers: [legacy, modern]}, effect: Allow}
  resources:
  - {name: notes, match: {servers: [legacy, modern], uris: ["note://*"]}, effect: Allow}
`
const asked = (desk: Desk, method: string) =>
  desk.requests.flatMap(({ body }) => (body.includes(`"${method}"`) ? [JSON.parse(body)] : []))
const readUntil = async (response: Response, until: RegExp) => {
  const reader = response.body!.getReader()
  let text = ''
  while (!until.test(text)) text += Buffer.from((await reader.read()).value!).toString()
  return text
}
/** The next notification that the resource changed; it is told again and again until it is heard. */
const hears = async (desk: Desk, stream: Response) => {
  const telling = setInterval(() => desk.updated('note://one'), 50)
  const told = eventsOf(await readUntil(stream, /"uri":"note:/))
  clearInterval(telling)
  return told.at(-1)
}
const UPDATED = { method: 'notifications/resources/updated', params: { uri: 'note://one' } }
const LEVEL = 'io.modelcontextprotocol/logLevel'

describe('kill -9 of the gate', () => {
  const world = createWorld()
  let base: string
  let legacy: Desk
  let modern: Desk
  let kill: () => Promise<unknown>

  beforeAll(async () => {
    ;[legacy, modern] = [await startLegacyDesk(world), await startModernDesk(world)]
    const [port = 0] = await freePorts(1)
    base = `http://127.0.0.1:${port}/mcp`
    writeFileSync(world.path('policy.yaml'), POLICY)
    const options = JSON.stringify({
      policyFiles: [world.path('policy.yaml')],
      servers: { legacy: legacy.url, modern: modern.url },
      port,
      dataDir: world.path('data'),
    })
    const start = async () => {
      const gate = await runScript(world, 'test/sidecar/gate-process.ts', [options], {}, 'gate')
      await waitForPort(port)
      return gate
    }
    let gate = await start()
    kill = async () => {
      gate.signal('SIGKILL')
      await gate.exited
      gate = await start()
    }
  }, 60_000)
  afterAll(() => world.close())

  /** An agent with a session, that wants logs and hears of a resource. */
  const inSession = async (name: string, desk: Desk) => {
    const url = `${base}/${name}`
    const session = await openSession(url)
    const ask = async (id: number, method: string, params: object) =>
      (await post(url, message(id, method, params), session)).json()
    const listen = (last?: string) =>
      fetch(url, { headers: { ...session, accept: 'text/event-stream', ...(last ? { 'last-event-id': last } : {}) } })
    expect(await ask(1, 'logging/setLevel', { level: 'notice' })).toMatchObject({ result: {} })
    expect(await ask(2, 'resources/subscribe', { uri: 'note://one' })).toMatchObject({ result: {} })
    const last = /^id: (.*)$/m.exec(await readUntil(await listen(), /^id: .*\n/m))![1]!
    return {
      url,
      session,
      hasAllAgain: async () => {
        expect(await ask(3, 'tools/call', { name: 'echo', arguments: { text: 'again' } })).toMatchObject({
          result: { content: [{ text: 'again' }] },
        })
        // What it comes back to is gone; what it hears goes on.
        expect(await hears(desk, await listen(last))).toMatchObject(UPDATED)
      },
    }
  }
  /** An agent of 2026-07-28, whose requests each say what they want. */
  const withoutSession = async () => {
    const url = `${base}/legacy`
    const call = (id: number) => {
      const params = { name: 'echo', arguments: { text: 'a' }, _meta: meta({}, { [LEVEL]: 'notice' }) }
      return send(url, 'tools/call', params, {}, id)
    }
    const follow = () =>
      send(url, 'subscriptions/listen', { notifications: { resourceSubscriptions: ['note://one'] } }, {}, 'sub')
    expect((await call(1)).status).toBe(200)
    const stream = await follow()
    expect(await hears(legacy, stream)).toMatchObject(UPDATED)
    return {
      hasAllAgain: async () => {
        await expect(readUntil(stream, /never/)).rejects.toThrow()
        expect((await call(2)).status).toBe(200)
        expect(await hears(legacy, await follow())).toMatchObject(UPDATED)
      },
    }
  }

  it('leaves sessions what they had, and has agents without ask anew', async () => {
    const atLegacy = await inSession('legacy', legacy)
    const atModern = await inSession('modern', modern)
    const agent = await withoutSession()
    const call = await post(atModern.url, message('w', 'tools/call', { name: 'wait' }), atModern.session)
    const last = /^id: (.*)$/m.exec(await readUntil(call, /^id: .*\n/m))![1]!
    const count = (desk: Desk, method: string) => asked(desk, method).length
    const before = count(legacy, 'resources/subscribe')
    expect(before).toBe(2)

    await kill()
    await atLegacy.hasAllAgain()
    await atModern.hasAllAgain()
    expect(asked(modern, 'tools/call').at(-1).params._meta).toMatchObject({ [LEVEL]: 'notice' })
    await agent.hasAllAgain()
    // In the session of the agent's nothing had to be asked for again, in the gate's own all.
    expect(count(legacy, 'resources/subscribe')).toBe(before + 1)
    expect(asked(legacy, 'logging/setLevel').map(({ params }) => params.level)).toEqual(Array(3).fill('notice'))
    // The call that was under way is none any more, and its agent is told so.
    const headers = { ...atModern.session, accept: 'text/event-stream', 'last-event-id': last }
    expect(eventsOf(await (await fetch(atModern.url, { headers })).text())).toMatchObject([
      { id: 'w', error: { data: { code: 'AnswerLost' } } },
    ])
  }, 60_000)
})
