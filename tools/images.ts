import { parseArgs } from 'node:util'
import { CannotSetUp } from './cluster/cluster.ts'
import { CommandFailed } from './cluster/exec.ts'
import { buildableImages, buildImages } from './images/build.ts'
import { pushImages } from './images/push.ts'
import { defaultProgress } from './progress.ts'

const usage = `Usage: npm run images [-- [NAME...] [--push REGISTRY/PREFIX [--tag TAG]]]
Builds the images (all when none is named) into an archive that docker, podman, ctr and kind load.
  --push REGISTRY/PREFIX   build with docker or buildah from tools/images/Dockerfile and push to REGISTRY/PREFIX/NAME:TAG
  --tag TAG                the tag to push (default: dev)`

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      push: { type: 'string' },
      tag: { type: 'string', default: 'dev' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return console.log(usage)
  const progress = defaultProgress()
  const names = positionals.length > 0 ? positionals : buildableImages()
  if (values.push) {
    for (const pushed of await pushImages(names, values.push, values.tag, progress)) console.log(pushed)
    return
  }
  for (const { name, ref, digest, archive } of await buildImages(names, progress))
    console.log(`${name.padEnd(16)} ${ref} ${digest}\n${' '.repeat(17)}${archive}`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  const usageError = String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')
  const known = usageError || error instanceof CannotSetUp || error instanceof CommandFailed
  console.error(known ? (error as Error).message : error)
  process.exitCode = usageError || error instanceof CannotSetUp ? 2 : 1
}
