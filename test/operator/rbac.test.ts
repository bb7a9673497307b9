import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('the chart gives the operator the rights these tests run it with, and no others', () => {
  expect(read('charts/remit/files/operator-rbac.yaml')).toBe(read('operator/rbac.yaml'))
})
