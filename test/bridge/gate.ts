import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLogger } from '../../lib/service/log.ts'
import { type Standalone, startStandalone } from '../../sidecar/standalone.ts'
import type { World } from './bridge.ts'

/** A gate in this process before these servers, gone with the world. `tokenFile`: what it shows to all of them. */
export const openGate = async (
  world: World,
  { policy, servers, tokenFile }: { policy: string; servers: Record<string, string>; tokenFile?: string },
): Promise<Standalone> => {
  const policyFile = join(world.dir, 'policy.yaml')
  writeFileSync(policyFile, policy)
  const gate = await startStandalone({
    policyFiles: [policyFile],
    servers,
    models: {},
    credentialFiles:
      tokenFile === undefined ? {} : Object.fromEntries(Object.keys(servers).map((name) => [name, tokenFile])),
    owner: 'ana',
    port: 0,
    dataDir: join(world.dir, 'receipts'),
    now: Date.now,
    log: createLogger({ part: 'test', level: 'silent' }),
    say: () => {},
  })
  world.onClose(() => gate.close())
  return gate
}
