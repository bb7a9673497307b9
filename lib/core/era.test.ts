import { describe, expect, it } from 'vitest'
import { discovery, isModernAnswer } from './era.ts'

describe('the era that an answer to discovery tells', () => {
  it.each<[string, Parameters<typeof isModernAnswer>[0], boolean]>([
    ['2026-07-28 among others', { result: { supportedVersions: ['2031-01-01', '2026-07-28'] } }, true],
    ['versions without ours', { result: { supportedVersions: ['2031-01-01'] } }, false],
    ['a version that is no list', { result: { supportedVersions: '2026-07-28' } }, false],
    ['a result that says nothing of versions', { result: {} }, false],
    ['a method it does not know, as older servers say', { error: { code: -32601, message: 'x' } }, false],
    ['a version it does not speak, but ours', { error: { code: -32022, data: { supported: ['2026-07-28'] } } }, true],
    ['a version it does not speak, nor ours', { error: { code: -32022, data: { supported: ['2031-01-01'] } } }, false],
    ['a version it does not speak, and no other', { error: { code: -32022 } }, false],
    ['headers that are not as the body', { error: { code: -32020, message: 'x' } }, true],
    ['a capability that is missing', { error: { code: -32021, message: 'x' } }, true],
    ['nothing', {}, false],
  ])('%s', (_what, answer, modern) => {
    expect(isModernAnswer(answer)).toBe(modern)
  })

  it('is asked for as the revision wants every request', () => {
    expect(discovery({ name: 'remit', version: '1' })).toEqual({
      method: 'server/discover',
      params: {
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'remit', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    })
  })
})
