/** What the exit code tells a script; `docs/cli.md` lists them. */
export declare const EXIT: {
  readonly ok: 0
  readonly problems: 1
  readonly usage: 2
  readonly notFound: 3
  readonly forbidden: 4
  readonly unreachable: 5
  readonly bug: 70
}
/** The exit code and the lines a person reads for whatever a command threw. */
export declare const explain: (error: unknown) => {
  code: number
  lines: string[]
}
