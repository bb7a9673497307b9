import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { VERSION } from './version.ts'

test('the version is that of package.json and of the chart', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  expect(JSON.parse(read('package.json')).version).toBe(VERSION)
  expect(/^appVersion: "?([^"\n]+)"?$/m.exec(read('charts/remit/Chart.yaml'))?.[1]).toBe(VERSION)
})
