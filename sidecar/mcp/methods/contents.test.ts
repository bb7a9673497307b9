import { describe, expect, it } from 'vitest'
import { parsePath } from '../../../lib/core/path.ts'
import { ELSEWHERE, ownContents, withholdCompletion, withholdContents, withholdPrompt } from './contents.ts'

const ASKED = 'file:///handbook'
const uris = (contents: object[], mayRead = (_uri: string) => true) =>
  (ownContents({ contents } as never, ASKED, mayRead)!.contents as { uri: string; text?: string }[]).map(
    ({ uri, text }) => (text === ELSEWHERE ? 'withheld' : uri),
  )

describe('contents of a resource', () => {
  it.each([
    ['itself', [{ uri: ASKED, text: 'a' }], [ASKED]],
    ['what is below it', [{ uri: `${ASKED}/a.md`, text: 'a' }], [`${ASKED}/a.md`]],
    ['another', [{ uri: 'file:///etc/passwd', text: 'a' }], ['withheld']],
    ['one whose name only begins the same', [{ uri: `${ASKED}-secret`, text: 'a' }], ['withheld']],
    [
      'both',
      [
        { uri: ASKED, text: 'a' },
        { uri: 'file:///b', blob: 'eA==' },
      ],
      [ASKED, 'withheld'],
    ],
    ['no URI', [{ text: 'a' }], ['withheld']],
    ['a second text for who ignores case', [{ uri: ASKED, text: 'a', Text: 'b' }], ['withheld']],
    ['no object', ['a'], ['withheld']],
  ])('%s', (_what, contents, shown) => {
    expect(uris(contents as object[])).toEqual(shown)
  })
  it('below it are read only by the rules for them', () => {
    const contents = [`${ASKED}/a.md`, `${ASKED}/secret.md`].map((uri) => ({ uri, text: 'x' }))
    expect(uris(contents, (uri) => !uri.includes('secret'))).toEqual([`${ASKED}/a.md`, 'withheld'])
  })
  it('are there, and once', () => {
    expect(ownContents({}, ASKED, () => true)).toBeUndefined()
    expect(ownContents({ contents: [], Contents: [] }, ASKED, () => true)).toBeUndefined()
  })
})

const paths = [parsePath('customer.iban')!]
const commit = (where: string) => `<${where}>`
const envelope = (result: object) => ({ jsonrpc: '2.0', id: 1, result }) as never

describe('what is withheld', () => {
  it('of contents: what stands at the path in JSON, and all that cannot be looked into', () => {
    const contents = [
      { uri: 'a:b', mimeType: 'application/json', text: '{"customer":{"iban":"DE02"},"n":1}', _meta: { iban: 'DE02' } },
      { uri: 'a:b', text: 'IBAN DE02' },
      { uri: 'a:b', blob: 'REUwMg==' },
    ]
    expect(withholdContents(envelope({ contents, note: 'DE02' }), paths, commit)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: {
        contents: [
          {
            uri: 'a:b',
            mimeType: 'application/json',
            text: '{"customer":{"iban":"<contents[0].customer.iban>"},"n":1}',
          },
          { uri: 'a:b', text: 'The policy withholds this part of the result.' },
          { uri: 'a:b', text: 'The policy withholds this part of the result.' },
        ],
      },
    })
  })
  it('of prompts, completions and errors', () => {
    const messages = [
      { role: 'user', content: { type: 'text', text: 'IBAN DE02' } },
      { role: 'assistant', content: { type: 'resource', resource: { uri: 'a:b', text: 'DE02' } } },
    ]
    const all = [
      withholdPrompt(envelope({ messages, description: 'DE02' }), paths, commit),
      withholdCompletion(envelope({ completion: { values: ['DE02'] } }), paths),
      withholdContents({ jsonrpc: '2.0', id: 1, error: { code: -1, message: 'DE02', data: 'DE02' } }, paths, commit),
    ]
    expect(JSON.stringify(all)).not.toContain('DE02')
    expect(all.map(({ result, error }) => Object.keys((result ?? error) as object))).toEqual([
      ['messages'],
      ['completion'],
      ['code', 'message'],
    ])
  })
  it('is nothing without a path', () => {
    const given = envelope({ contents: [{ uri: 'a:b', text: 'DE02' }] })
    expect(withholdContents(given, [], commit)).toBe(given)
  })
})
