import { createRequire } from 'node:module'

interface Z3 {
  _Z3_mk_config(): number
  _Z3_mk_context(config: number): number
  _Z3_del_context(context: number): void
  /** By default an error, such as asking for values where there are none, ends the process. */
  _set_noop_error_handler(context: number): void
  ccall(name: string, returns: string | null, types: string[], values: unknown[]): unknown
}

/** Megabytes z3 may take before it gives up. */
const MEMORY = '1500'

// The solver's own process, started with the path of z3-built.js: one SMT-LIB script a message, one answer each. z3 runs
// in its only thread, so that whoever started it can end it at any moment, and its memory with it.
const path = process.argv[2] as string
const starting = (createRequire(path)(path) as () => Promise<Z3>)()

process.on('message', ({ script }: { script: string }) => {
  void starting.then((z3) => {
    z3.ccall('Z3_global_param_set', null, ['string', 'string'], ['memory_max_size', MEMORY])
    const context = z3._Z3_mk_context(z3._Z3_mk_config())
    z3._set_noop_error_handler(context)
    const answer = z3.ccall('Z3_eval_smtlib2_string', 'string', ['number', 'string'], [context, script])
    z3._Z3_del_context(context)
    process.send?.({ answer })
  })
})
process.on('disconnect', () => process.exit(0))
