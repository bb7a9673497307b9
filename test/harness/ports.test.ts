import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { freePorts } from './ports.ts'

test('processes that ask at once never get the same port', async () => {
  const script = `import { freePorts } from ${JSON.stringify(new URL('./ports.ts', import.meta.url).href)}
    console.log(JSON.stringify(await freePorts(200)))
    setTimeout(() => {}, 1_500)`
  const others = await Promise.all(
    [1, 2, 3].map(() => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])),
  )
  const all = [...others.flatMap(({ stdout }) => JSON.parse(stdout) as number[])]
  expect(all).toHaveLength(600)
  expect(new Set(all).size).toBe(600)
})

test('ports of this process are not given twice', async () => {
  const ports = [...(await freePorts(50)), ...(await freePorts(50))]
  expect(new Set(ports).size).toBe(100)
})
