import { expect, test } from 'vitest'
import { parseRequestHeader } from './request-header.ts'

test('reads what the API server publishes', () => {
  const data = {
    'client-ca-file': 'not this one',
    'requestheader-client-ca-file': 'PEM',
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  }
  expect(parseRequestHeader(data)).toEqual({
    ca: 'PEM',
    allowedNames: ['front-proxy-client'],
    usernameHeaders: ['X-Remote-User'],
    uidHeaders: [],
    groupHeaders: ['X-Remote-Group'],
    extraPrefixes: ['X-Remote-Extra-'],
  })
})
test('an API server without a front proxy is an error, never an empty authority', () => {
  expect(() => parseRequestHeader({})).toThrow('requestheader-client-ca-file')
  expect(() => parseRequestHeader()).toThrow('requestheader-client-ca-file')
})
