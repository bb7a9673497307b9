import { describe, expect, test } from 'vitest'
import { readCalls } from './calls.ts'

const read = (text: string) => readCalls(Buffer.from(text), 'calls.jsonl')
const one = (text: string) => read(text).calls[0]

test('a line is a call; arguments and outcome have their defaults', () => {
  expect(one('{"server":"billing","tool":"list"}')).toEqual({
    line: 1,
    what: { type: 'tool', server: 'billing', tool: 'list' },
    outcome: 'ok',
    request: { arguments: {} },
  })
})

test('lines keep their number over empty ones, CRLF and a missing last line break', () => {
  const { calls } = read('\r\n{"server":"a","tool":"x"}\r\n  \n{"server":"a","tool":"y"}')
  expect(calls.map(({ line, what }) => [line, what.type === 'tool' && what.tool])).toEqual([
    [2, 'x'],
    [4, 'y'],
  ])
})

test('time, outcome and what was read', () => {
  const read = [{ tool: 'tickets/get', arguments: { id: 1 }, value: { owner: 'ana' } }]
  const text = { server: 'a', tool: 'x', at: '2026-11-21T03:00:00+01:00', outcome: 'error', objects: read }
  expect(one(JSON.stringify(text))).toMatchObject({
    at: Date.parse('2026-11-21T02:00:00Z'),
    outcome: 'error',
    request: { objects: read },
  })
})

test('lines about resources, prompts and what servers ask', () => {
  expect(one('{"server":"docs","resource":"file:///a.md"}')).toEqual({
    line: 1,
    what: { type: 'resource', server: 'docs', name: 'file:///a.md' },
    outcome: 'ok',
    request: { arguments: {} },
  })
  expect(one('{"server":"docs","prompt":"summarize","arguments":{"length":"short"}}')).toMatchObject({
    what: { type: 'prompt', server: 'docs', name: 'summarize' },
    request: { arguments: { length: 'short' } },
  })
  const asked = '{"server":"shop","request":"elicitation/create","params":{"mode":"form"},"answer":{"content":{}}}'
  expect(one(asked)).toMatchObject({
    what: { type: 'request', server: 'shop', name: 'elicitation/create' },
    request: { arguments: { mode: 'form' }, answer: { content: {} } },
  })
})

test('what means nothing beside what a line is about is named', () => {
  const { strange } = read('{"server":"docs","resource":"a:b","arguments":{}}\n{"server":"s","tool":"t","params":{}}')
  expect(strange).toEqual(['line 1 of calls.jsonl: "arguments"', 'line 2 of calls.jsonl: "params"'])
})

describe('what the gate would not take is a call that is denied', () => {
  test.each([
    ['a key twice', '{"server":"a","tool":"x","arguments":{"n":1,"n":2}}'],
    ['the tool twice', '{"server":"a","tool":"x","tool":"y"}'],
    ['an integer that numbers cannot hold', '{"server":"a","tool":"x","arguments":{"n":9007199254740993}}'],
    ['a number that is too large', '{"server":"a","tool":"x","arguments":{"n":1e400}}'],
    ['a lone surrogate', '{"server":"a","tool":"x","arguments":{"n":"\\ud800"}}'],
    ['the key __proto__', '{"server":"a","tool":"x","arguments":{"__proto__":{}}}'],
    ['nested too deep', `{"server":"a","tool":"x","arguments":{"n":${'['.repeat(80)}${']'.repeat(80)}}}`],
    ['arguments that are a list', '{"server":"a","tool":"x","arguments":[]}'],
    ['arguments of a prompt that are a list', '{"server":"a","prompt":"x","arguments":[]}'],
    ['params that are a text', '{"server":"a","request":"roots/list","params":"x"}'],
    ['an answer that is a text', '{"server":"a","request":"roots/list","answer":"x"}'],
    ['arguments that are null', '{"server":"a","tool":"x","arguments":null}'],
  ])('%s', (_, line) => {
    const call = one(line)
    expect(call?.request).toBeUndefined()
    expect(call?.refused).toMatchObject({ code: 'MalformedRequest', reason: expect.stringContaining('.') })
  })

  test('bytes that are no UTF-8', () => {
    const line = Buffer.from('{"server":"a","tool":"x","arguments":{"n":"é"}}', 'latin1')
    expect(readCalls(line, 'c').calls[0]?.refused).toMatchObject({ code: 'MalformedRequest' })
  })
})

describe('what is no call is a usage error that names the line', () => {
  test.each([
    ['no JSON', 'hello', 'is not JSON'],
    ['half of one', '{"server":"a"', 'is not JSON'],
    ['a list', '[]', 'is not an object'],
    ['no tool', '{"server":"a"}', 'has no tool'],
    ['a tool and a resource', '{"server":"a","tool":"x","resource":"a:b"}', 'is about several things (tool, resource)'],
    ['an empty resource', '{"server":"a","resource":""}', 'has no resource'],
    ['an empty server', '{"server":"","tool":"x"}', 'has no server'],
    ['a server that is no text', '{"server":5,"tool":"x"}', 'has no server'],
    ['no server beside a key twice', '{"tool":"x","tool":"y"}', 'has no server'],
    ['an outcome of another kind', '{"server":"a","tool":"x","outcome":"fine"}', 'outcome is "fine"'],
    ['a time that is none', '{"server":"a","tool":"x","at":"yesterday"}', 'at is "yesterday"'],
    ['a time without a zone', '{"server":"a","tool":"x","at":"2026-11-21T02:00:00"}', 'at is "2026'],
    ['a number for a time', '{"server":"a","tool":"x","at":1700000000}', 'at is 1700000000'],
    ['objects that are no list', '{"server":"a","tool":"x","objects":{}}', 'objects is not a list'],
  ])('%s', (_, line, text) => {
    expect(() => read(`{"server":"a","tool":"ok"}\n${line}\n`)).toThrow(`line 2 of calls.jsonl`)
    expect(() => read(`{"server":"a","tool":"ok"}\n${line}\n`)).toThrow(text)
  })

  test('a file without calls', () => expect(() => read('\n \n')).toThrow('calls.jsonl has no call'))

  test('what the file says cannot write lines of its own', () => {
    expect(() => read('{"server":"a","tool":"x"}\n\u001b[31mred')).not.toThrow('\u001b')
  })
})

test('a field that means nothing is told, with its line', () => {
  expect(read('{"server":"a","tool":"x","argumnets":{}}').strange).toEqual(['line 1 of calls.jsonl: "argumnets"'])
})
