import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseDockerfile } from './dockerfile.ts'

describe('parseDockerfile', () => {
  it('reads stages, and lets settings of a base through', () => {
    const stages = parseDockerfile(
      'FROM scratch AS a\nENV X=1\nUSER 1:1\n\n# comment\nFROM a AS b\nCOPY dist/b.mjs /b.mjs\nENV Y=2\nENTRYPOINT ["/b"]\n',
    )
    expect(stages).toEqual([
      { name: 'a', from: 'scratch', copies: [], config: { Env: ['X=1'], User: '1:1' } },
      {
        name: 'b',
        from: 'a',
        copies: [{ from: 'dist/b.mjs', to: '/b.mjs' }],
        config: { Env: ['X=1', 'Y=2'], User: '1:1', Entrypoint: ['/b'] },
      },
    ])
  })

  it.each([
    ['RUN true', /not in our subset/],
    ['COPY --chown=1 a b', /expected COPY/],
    ['COPY a b c', /expected COPY/],
    ['ENTRYPOINT /bin/sh', /JSON/],
    ['ENV A 1', /expected NAME=value/],
    ['FROM debian:12 AS x', /base must be scratch or an earlier stage/],
    ['FROM scratch', /expected FROM/],
  ])('refuses what it does not know: %s', (line, message) => {
    expect(() => parseDockerfile(`FROM scratch AS first\n${line}\n`)).toThrow(message)
  })

  it('finds no image of ours running as root', () => {
    const stages = parseDockerfile(readFileSync(join(import.meta.dirname, 'Dockerfile'), 'utf8'))
    expect(stages.length).toBeGreaterThan(5)
    for (const { config } of stages) expect(config.User).toMatch(/^65532:65532$/)
  })
})
