import type { ToolClass } from '../../../lib/api/gen/types.ts'
import type { JsonObject } from '../../../lib/core/json-rpc.ts'
import type { ServerMessage } from '../answer.ts'
import type { Admitted, Answered } from '../ports.ts'

/** A call that its server carries on with by itself. */
export interface KnownTask {
  tool: string
  class?: ToolClass | undefined
  /** Receipt name of the call's intent. */
  intent: string
  /** The server said that it is over. */
  ended: boolean
  /** What the server asks meanwhile, by its key, as far as the agent may see it; `tell` where somebody waits for the answer. */
  asked: Map<string, Admitted & { tell?: (answered: Answered) => void }>
  /** Keys of what it asks and the agent may not see. */
  refused: Set<string>
  /** What it came to, where the call was answered at once and only its agent wanted a task. */
  came?: { state: JsonObject; answer: ServerMessage } | undefined
}

/**
 * The tasks that this agent's own calls began, since the sidecar started: of all others an agent learns nothing, whoever
 * told it their id.
 */
export interface KnownTasks {
  add: (server: string, taskId: string, task: Pick<KnownTask, 'tool' | 'class' | 'intent' | 'came'>) => void
  find: (server: string, taskId: string) => KnownTask | undefined
}

const MAX_TASKS = 10_000
/** Of what tasks came to that no server keeps. */
const MAX_BYTES = 4 * 1024 * 1024
export const MAX_TASK_ID = 256

export const createKnownTasks = (): KnownTasks => {
  const tasks = new Map<string, KnownTask>()
  const came: { key: string; bytes: number }[] = []
  let bytes = 0
  const keyOf = (server: string, taskId: string) => `${server} ${taskId}`
  return {
    add: (server, taskId, task) => {
      const key = keyOf(server, taskId)
      if (tasks.size >= MAX_TASKS) tasks.delete(tasks.keys().next().value!)
      tasks.set(key, { ...task, ended: task.came !== undefined, asked: new Map(), refused: new Set() })
      if (!task.came) return
      came.push({ key, bytes: task.came.answer.raw.length })
      bytes += task.came.answer.raw.length
      for (let oldest = came[0]; bytes > MAX_BYTES && oldest; oldest = came[0]) {
        tasks.delete(oldest.key)
        bytes -= oldest.bytes
        came.shift()
      }
    },
    find: (server, taskId) => tasks.get(keyOf(server, taskId)),
  }
}
