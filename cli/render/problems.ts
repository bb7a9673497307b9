import type { Problem } from '../../lib/core/problem.ts'
import { oneLine } from './one-line.ts'

type Shown = Pick<Problem, 'object' | 'field' | 'value' | 'detail' | 'fix'>

/** Two lines a problem: where, what is wrong and the value; then what to write instead. */
export const renderProblems = (problems: Shown[], mark?: string): string[] =>
  problems.flatMap(({ object, field, value, detail, fix }) => {
    const where = [mark, object, field].filter((part) => part !== undefined).join(': ')
    return [oneLine(`${where} ${detail}${value === undefined ? '' : ` (it is ${value})`}`), `    ${oneLine(fix)}`]
  })
