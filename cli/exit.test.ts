import { CommanderError } from 'commander'
import { expect, test } from 'vitest'
import { UserError } from '../lib/core/errors.ts'
import { ApiError, ConnectionError } from '../lib/kube/errors.ts'
import { explain } from './exit.ts'

test.each([
  ['help', new CommanderError(0, 'commander.help', ''), 0],
  ['wrong usage', new CommanderError(1, 'commander.unknownOption', ''), 2],
  ['a missing argument', new UserError('BadUsage', { detail: 'x' }), 2],
  ['nothing of that name', new UserError('NotFound', { what: 'x' }), 3],
  ['nothing of that name, by the API server', new ApiError(404, { message: 'agents "x" not found' }), 3],
  ['no right', new ApiError(403, { message: 'users "x" cannot' }), 4],
  ['no cluster', new ConnectionError('refused'), 5],
  ['no server', new UserError('UpstreamUnreachable', { server: 'x', detail: 'ECONNREFUSED' }), 5],
  ['a mistake in the world', new UserError('NobodyOnCall', { name: 'x' }), 1],
  ['our bug', new TypeError('x is undefined'), 70],
])('%s', (_, error, code) => expect(explain(error).code).toBe(code))

test('only our bugs show a stack', () => {
  expect(explain(new UserError('NotFound', { what: 'It' })).lines.join()).not.toContain('    at ')
  expect(explain(new TypeError('x')).lines.join()).toContain('    at ')
})
