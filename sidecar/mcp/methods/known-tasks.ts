import type { ToolClass } from '../../../lib/api/gen/types.ts'
import type { Admitted } from '../ports.ts'

/** A call that its server carries on with by itself. */
export interface KnownTask {
  tool: string
  class?: ToolClass | undefined
  /** Receipt name of the call's intent. */
  intent: string
  /** The server said that it is over. */
  ended: boolean
  /** What the server asks meanwhile (2026-07-28), by its key, as far as the agent got to see it. */
  asked: Map<string, Admitted>
}

/**
 * The tasks that this agent's own calls began, since the sidecar started: of all others an agent learns nothing, whoever
 * told it their id.
 */
export interface KnownTasks {
  add: (server: string, taskId: string, task: Pick<KnownTask, 'tool' | 'class' | 'intent'>) => void
  find: (server: string, taskId: string) => KnownTask | undefined
}

const MAX_TASKS = 10_000
export const MAX_TASK_ID = 256

export const createKnownTasks = (): KnownTasks => {
  const tasks = new Map<string, KnownTask>()
  const keyOf = (server: string, taskId: string) => `${server} ${taskId}`
  return {
    add: (server, taskId, task) => {
      const key = keyOf(server, taskId)
      if (tasks.size >= MAX_TASKS) tasks.delete(tasks.keys().next().value!)
      tasks.set(key, { ...task, ended: false, asked: new Map() })
    },
    find: (server, taskId) => tasks.get(keyOf(server, taskId)),
  }
}
