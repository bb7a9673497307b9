import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKeptSessions } from './kept.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'remit-kept-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const stateOf = (id: string) => {
  const kept = createKeptSessions(dir).of(id)
  return [kept.level(), kept.uris()]
}

describe('what sessions keep', () => {
  it('is there for a gate that is started again, until the session ends', () => {
    const sessions = createKeptSessions(dir)
    const one = sessions.of('one')
    one.setLevel('error')
    one.follow('file:///a')
    one.follow('file:///b')
    one.follow('file:///b')
    one.unfollow('file:///a')
    sessions.of('two').setLevel('debug')
    expect([stateOf('one'), stateOf('two'), stateOf('three')]).toEqual([
      ['error', ['file:///b']],
      ['debug', []],
      [undefined, []],
    ])
    // Who reads the file cannot use the sessions.
    expect(readFileSync(join(dir, 'sessions.json'), 'utf8')).not.toMatch(/one|two/)
    sessions.end('one')
    expect([stateOf('one'), stateOf('two')]).toEqual([
      [undefined, []],
      ['debug', []],
    ])
  })

  it('tells of other subscriptions, and of nothing else', () => {
    const kept = createKeptSessions(dir).of('one')
    let told = 0
    const stop = kept.onChange(() => told++)
    kept.setLevel('info')
    kept.follow('file:///a')
    kept.follow('file:///a')
    kept.unfollow('file:///b')
    expect(told).toBe(1)
    kept.unfollow('file:///a')
    expect(told).toBe(2)
    stop()
    kept.follow('file:///a')
    expect(told).toBe(2)
  })

  it('is bounded: of sessions, of which the one that changed longest ago goes', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`${n}`, { level: 'info', uris: [] }]))
    writeFileSync(join(dir, 'sessions.json'), JSON.stringify({ ...many, x: { level: 'info', uris: [] } }))
    createKeptSessions(dir).of('one').setLevel('debug')
    const names = Object.keys(JSON.parse(readFileSync(join(dir, 'sessions.json'), 'utf8')))
    expect([names.length, names.includes('0'), names.includes('2')]).toEqual([1_001, false, true])
  })

  it('is bounded: of bytes, beyond which there is no subscription more', () => {
    const uris = Array.from({ length: 500 }, (_, n) => `file:///${n}/${'x'.repeat(2_040)}`)
    writeFileSync(join(dir, 'sessions.json'), JSON.stringify({ x: { uris } }))
    const kept = createKeptSessions(dir).of('one')
    const follow = (n: number) => kept.follow(`file:///${n}/${'y'.repeat(10_000)}`)
    expect([1, 2, 3].map(follow)).toEqual([true, true, false])
    expect(kept.uris()).toHaveLength(2)
  })

  it.each(['', 'garbage', '[]', '{"x": 1, "y": {"uris": 7}}'])('a file that holds %j keeps nothing', (text) => {
    writeFileSync(join(dir, 'sessions.json'), text)
    createKeptSessions(dir).of('one').setLevel('info')
    expect(stateOf('one')).toEqual(['info', []])
  })

  it('that cannot be written has not changed', () => {
    const kept = createKeptSessions(dir).of('one')
    rmSync(dir, { recursive: true })
    expect(() => kept.setLevel('info')).toThrow(/ENOENT/)
    expect(() => kept.follow('file:///a')).toThrow(/ENOENT/)
    expect([kept.level(), kept.uris()]).toEqual([undefined, []])
  })

  it('of a session that ended is over, also where that cannot be written', () => {
    const sessions = createKeptSessions(dir)
    sessions.of('one').setLevel('info')
    rmSync(dir, { recursive: true })
    sessions.end('one')
    expect(sessions.of('one').level()).toBeUndefined()
  })
})
