import type { ImageConfig } from './oci.ts'

/** One stage of a Dockerfile in the subset we use: a base, what is copied from the context, and the image's settings. */
export type Stage = { name: string; from: string; copies: { from: string; to: string }[]; config: ImageConfig }

/** Parses the subset of Dockerfile syntax that our images use. Anything else is an error with its line, never ignored. */
export function parseDockerfile(text: string): Stage[] {
  const stages: Stage[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const at = line.search(/\s/)
    const instruction = line.slice(0, at)
    const rest = line.slice(at + 1).trim()
    const wrong = (why: string) => new Error(`Dockerfile line ${index + 1}: ${why}: ${line}`)
    if (instruction === 'FROM') {
      const match = /^(\S+) AS (\S+)$/.exec(rest)
      if (!match) throw wrong('expected FROM <base> AS <name>')
      const [, from, name] = match as unknown as [string, string, string]
      const base = stages.find((stage) => stage.name === from)
      if (from !== 'scratch' && !base) throw wrong('the base must be scratch or an earlier stage')
      stages.push({ name, from, copies: [], config: structuredClone(base?.config ?? {}) })
      continue
    }
    const stage = stages.at(-1)
    if (!stage) throw wrong('comes before the first FROM')
    const list = (): string[] => {
      const value: unknown = JSON.parse(rest)
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
        throw wrong('expected a JSON list of strings')
      return value
    }
    const pair = (): [string, string] => {
      const match = /^([\w.-]+)=(\S*)$/.exec(rest)
      if (!match) throw wrong('expected NAME=value')
      return [match[1]!, match[2]!]
    }
    if (instruction === 'COPY') {
      const [from, to, ...more] = rest.split(/\s+/)
      if (!from || !to || more.length > 0 || from.startsWith('-')) throw wrong('expected COPY <from> <to>')
      stage.copies.push({ from, to })
    } else if (instruction === 'ENV') stage.config.Env = [...(stage.config.Env ?? []), pair().join('=')]
    else if (instruction === 'LABEL') stage.config.Labels = { ...stage.config.Labels, ...Object.fromEntries([pair()]) }
    else if (instruction === 'USER') stage.config.User = rest
    else if (instruction === 'WORKDIR') stage.config.WorkingDir = rest
    else if (instruction === 'ENTRYPOINT') stage.config.Entrypoint = list()
    else if (instruction === 'CMD') stage.config.Cmd = list()
    else throw wrong('this instruction is not in our subset')
  }
  return stages
}
