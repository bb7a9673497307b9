import { expect, test } from 'vitest'
import { ConfigError, flag, integer, oneOf, readConfig, text, url } from './config.ts'

const settings = {
  port: { env: 'PORT', parse: integer(1, 65535), default: 7480 },
  level: { env: 'LEVEL', parse: oneOf('info', 'debug') },
  ledger: { env: 'LEDGER', parse: url('https:') },
  quiet: { env: 'QUIET', parse: flag(), default: false },
  key: { env: 'KEY', parse: integer(0, 1), default: 0, secret: true },
  name: { env: 'NAME', parse: text(), default: undefined as string | undefined },
}

test('values are typed, defaults fill what is absent or empty', () => {
  expect(readConfig(settings, { LEVEL: 'debug', LEDGER: 'https://l:1', QUIET: 'true', PORT: '' })).toEqual({
    port: 7480,
    level: 'debug',
    ledger: 'https://l:1',
    quiet: true,
    key: 0,
    name: undefined,
  })
})

test('all problems are told at once, with variable, value and fix, but never a secret', () => {
  const read = () => readConfig(settings, { PORT: '0x10', LEDGER: 'http://l', KEY: 'hunter2' })
  expect(read).toThrow(ConfigError)
  expect(read).toThrow(
    [
      'the settings are wrong:',
      '  PORT is "0x10", but must be a whole number from 1 to 65535',
      '  LEVEL is not set',
      '  LEDGER is "http://l", but must be a URL (https:)',
      '  KEY must be a whole number from 0 to 1',
    ].join('\n'),
  )
})
