import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Progress } from '../../../tools/progress.ts'
import { ensurePrograms } from '../../bridge/python.ts'
import type { CompatClient } from '../clients.ts'
import { ensureVenv } from '../envs/python.ts'
import type { PythonImage } from './image.ts'

const scripts = join(import.meta.dirname, '../clients/python')

/** The agents of these clients: their environments below /app, by their names, and all scripts in /app/clients. */
export const agentsImage = async (clients: readonly CompatClient[], progress: Progress): Promise<PythonImage> => {
  const environments: Record<string, string> = {}
  for (const { pins } of clients) if (pins) environments[pins] ??= await ensureVenv(pins, progress)
  const names = readdirSync(scripts).filter((name) => name.endsWith('.py'))
  const files = names.map((name) => [`/app/clients/${name}`, readFileSync(join(scripts, name), 'utf8')])
  return { name: 'compat-agents', environments, files: Object.fromEntries(files) }
}

/** mcp-server-sqlite as its author ships it, under its own name on the PATH. */
export const sqliteImage = async (): Promise<PythonImage> => ({
  name: 'compat-sqlite',
  environments: { sqlite: dirname(await ensurePrograms('sqlite')) },
  files: {
    '/usr/bin/mcp-server-sqlite': `#!/usr/bin/python3
import sys
sys.path.insert(0, "/app/sqlite")
from mcp_server_sqlite import main
sys.exit(main())
`,
  },
})
