import type { Problem } from '../../lib/core/problem.ts'
import { oneLine } from './one-line.ts'

/** Two lines a problem: where, what is wrong and the value; then what to write instead. */
export const renderProblems = (problems: Pick<Problem, 'object' | 'field' | 'value' | 'detail' | 'fix'>[]): string[] =>
  problems.flatMap(({ object, field, value, detail, fix }) => [
    oneLine(
      `${object === undefined ? '' : `${object}: `}${field} ${detail}${value === undefined ? '' : ` (it is ${value})`}`,
    ),
    `    ${oneLine(fix)}`,
  ])
