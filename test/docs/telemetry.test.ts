import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { ATTR } from '../../sidecar/telemetry.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/telemetry.md')

test('the collector that the page shows is the one the end-to-end tests run', () => {
  const [, shown] = /^```yaml\n([\s\S]*?)^```/m.exec(page) ?? []
  expect(load(read('test/fixtures/collector/config.yaml'))).toMatchObject(load(shown ?? '') as object)
})

test.each(Object.values(ATTR).filter((name) => /^(mcp|gen_ai|remit)\./.test(name)))('the page tells of %s', (name) => {
  const rest = /^remit\.decision(\.(?!effect).*)$/.exec(name)?.[1]
  expect(page.includes(`\`${name}\``) || page.includes(`, \`${rest}\``)).toBe(true)
})
