import { spawn } from 'node:child_process'
import { config } from './config.ts'

export interface Ran {
  code: number
  out: string
  err: string
}

export interface RunOptions {
  /** Standard input. */
  input?: string
  /** Impersonated, as `--as`. */
  as?: string
  timeoutMs?: number
}

/** The real kubectl as a person types it, on the cluster under test. Never throws for what kubectl refuses. */
export const kubectl = (args: string[], { input, as, timeoutMs = 60_000 }: RunOptions = {}): Promise<Ran> =>
  new Promise((resolve, reject) => {
    // A plugin's name has to come before any flag; it takes the same flags behind its own.
    const where = ['--context', config.context, ...(as ? ['--as', as] : [])]
    const separator = args.indexOf('--')
    const all = separator < 0 ? [...args, ...where] : [...args.slice(0, separator), ...where, ...args.slice(separator)]
    const child = spawn('kubectl', all, { stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 137, out, err }))
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
  })

/** As `kubectl`, for what must work: its standard output. */
export const ok = async (args: string[], options: RunOptions = {}): Promise<string> => {
  const { code, out, err } = await kubectl(args, options)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${err || out}`)
  return out
}

// Documents one after the other, as in a file: a List is validated by kubectl itself, before the webhook stamped it.
const asDocuments = (objects: object[]) =>
  objects.map((object) => JSON.stringify(object).replaceAll('remit.local/', `${config.images}/`)).join('\n---\n')

/** `kubectl apply` of these objects, by the cluster's administrator. */
export const apply = (...objects: object[]): Promise<string> =>
  ok(['apply', '-f', '-'], { input: asDocuments(objects) })

/** `kubectl apply` of these objects by someone, for what may be refused. */
export const tryApply = (objects: object[], as?: string): Promise<Ran> =>
  kubectl(['apply', '-f', '-'], { input: asDocuments(objects), as })
