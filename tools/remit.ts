/** `npm run -s remit -- ARGS`: the command line from its sources. */
await import('../cli/main.ts')

export {}
