/** Started and killed by apiserver.test.ts: a process that has an API server and no chance to clean up. */
import { startApiserver } from './apiserver.ts'

const { dir } = await startApiserver()
process.stdout.write(JSON.stringify({ dir }))
setInterval(() => {}, 60_000)
