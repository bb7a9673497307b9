import { expect, test } from 'vitest'
import { keepManager } from './trim.ts'

test('trimming keeps what one manager owns', () => {
  const managedFields = [{ manager: 'me', fieldsV1: {} }, { manager: 'kubelet' }]
  const full = { metadata: { name: 'x', managedFields } }
  expect(keepManager('me')(structuredClone(full)).metadata.managedFields).toEqual([managedFields[0]])
  expect(keepManager('nobody')(structuredClone(full)).metadata).toEqual({ name: 'x' })
})
