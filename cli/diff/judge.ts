import type { ToolClass } from '../../lib/api/gen/types.ts'
import type { ReadObject, ToolCall } from '../../lib/core/decide.ts'
import { type PreparedRemit, prepare } from '../../lib/core/prepare.ts'
import type { Json } from '../../lib/core/strict.ts'
import type { Names } from './history.ts'
import { pinOf, type Side, type Target } from './side.ts'

/** Old and new remit, ready to be asked. Breakers are compared by themselves and left out here. */
export interface Judge {
  old: PreparedRemit
  new: PreparedRemit
  sides: { old: Side; new: Side }
  names: Names
  now: number
}
export const newJudge = (sides: Judge['sides'], names: Names, now: number): Judge => ({
  old: prepare({ ...sides.old.remit, breakers: [] }),
  new: prepare({ ...sides.new.remit, breakers: [] }),
  sides,
  names,
  now,
})

/** A call of the target; `objects` as they would be read. */
export interface Candidate {
  target: Target
  arguments: Json
  objects: ReadObject[]
}

const ANNOTATIONS: Partial<Record<ToolClass, object>> = {
  Write: { readOnlyHint: false },
  SideEffect: { destructiveHint: true },
}

/** The candidate as a call under one side. */
export function callOf(side: Side, { target, arguments: args, objects }: Candidate): ToolCall {
  const { server, tool, annotated } = target
  const definition =
    pinOf(side, target) !== undefined
      ? 'pinned'
      : { name: tool, inputSchema: { type: 'object' }, ...(annotated ? { annotations: ANNOTATIONS[annotated] } : {}) }
  return { server, tool, arguments: args, definition, objects }
}
