import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Listr } from 'listr2'
import { toolsConfig } from './cluster/config.ts'

/** Says what is being done and how long that usually takes. Steps may be nested; inner ones show as the outer one's output. */
export type Progress = {
  /**
   * Runs one step. `seconds` is the usual duration until a real one is remembered.
   * `say` shows one line of detail that the next one replaces.
   */
  step<T>(title: string, seconds: number, work: (say: (line: string) => void) => Promise<T>): Promise<T>
}

/** Durations of earlier runs by step title, in seconds. */
export type Durations = { get(title: string): number | undefined; set(title: string, seconds: number): void }

/** "12 s" or "3 min": how a duration is told to a person. */
export function human(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`
  return `${Math.round(seconds / 60)} min`
}

/** Remembered durations in a JSON file; a damaged or missing file is an empty memory, never an error. */
export function fileDurations(file: string): Durations {
  const load = (): Record<string, number> => {
    try {
      return JSON.parse(readFileSync(file, 'utf8'))
    } catch {
      return {}
    }
  }
  return {
    get: (title) => load()[title],
    set(title, seconds) {
      mkdirSync(dirname(file), { recursive: true })
      const temporary = `${file}.${process.pid}`
      writeFileSync(temporary, JSON.stringify({ ...load(), [title]: seconds }, null, 1))
      renameSync(temporary, file)
    },
  }
}

const label = (title: string, seconds: number) => (seconds < 2 ? title : `${title} (usually ${human(seconds)})`)

/** One plain line when a step starts and one when it ends, for CI and pipes. Quick steps print nothing. */
export function plainProgress(write: (line: string) => void, durations: Durations, now: () => number): Progress {
  return {
    async step(title, seconds, work) {
      const started = now()
      const usual = durations.get(title) ?? seconds
      if (usual >= 2) write(`${label(title, usual)} ...`)
      const value = await work(() => {})
      const took = (now() - started) / 1000
      durations.set(title, took)
      if (took >= 2) write(`${title}: done in ${human(took)}`)
      return value
    },
  }
}

/** A live display on a terminal. */
export function terminalProgress(durations: Durations, now: () => number): Progress {
  let outer: ((line: string) => void) | undefined
  return {
    async step(title, seconds, work) {
      const started = now()
      const usual = label(title, durations.get(title) ?? seconds)
      if (outer) {
        const show = outer
        show(usual)
        const value = await work((line) => show(`${title}: ${line}`))
        durations.set(title, (now() - started) / 1000)
        return value
      }
      let value: Awaited<ReturnType<typeof work>> | undefined
      const list = new Listr(
        [
          {
            title: usual,
            async task(_context, task) {
              const say = (line: string) => {
                task.output = line
              }
              outer = say
              try {
                value = await work(say)
              } finally {
                outer = undefined
              }
              const took = (now() - started) / 1000
              durations.set(title, took)
              task.title = `${title} (${human(took)})`
            },
          },
        ],
        { renderer: 'default', rendererOptions: { collapseErrors: false } },
      )
      await list.run()
      return value as Awaited<ReturnType<typeof work>>
    },
  }
}

/** Shows nothing; for tests and for callers that show their own. */
export const silentProgress: Progress = { step: (_title, _seconds, work) => work(() => {}) }

/** The display that suits where we run: live on a terminal, plain lines on stderr otherwise. */
function createProgress(options: { plain: boolean; durationsFile: string }): Progress {
  const durations = fileDurations(options.durationsFile)
  if (!options.plain) return terminalProgress(durations, Date.now)
  return plainProgress((line) => process.stderr.write(`${line}\n`), durations, Date.now)
}

/** The display for this process, as its environment asks for; durations are remembered in the cache. */
export function defaultProgress(): Progress {
  const { plain, cacheDir } = toolsConfig()
  return createProgress({ plain, durationsFile: join(cacheDir, 'durations.json') })
}
