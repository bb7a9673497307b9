import { parseArgs } from 'node:util'
import { buildableImages, buildImages } from './images/build.ts'
import { pushImages } from './images/push.ts'
import { defaultProgress } from './progress.ts'
import { runTool } from './run-tool.ts'

const usage = `Usage: npm run images [-- [NAME...] [--push REGISTRY/PREFIX [--tag TAG]]]
Builds the images (all but demo-collector when none is named) into an archive that docker, podman, ctr and kind load.
  --push REGISTRY/PREFIX   build with docker or buildah from tools/images/Dockerfile and push to REGISTRY/PREFIX/NAME:TAG
  --tag TAG                the tag to push (default: dev)`

async function main(args: string[]): Promise<undefined> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      push: { type: 'string' },
      tag: { type: 'string', default: 'dev' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return void console.log(usage)
  const progress = defaultProgress()
  const names = positionals.length > 0 ? positionals : buildableImages()
  if (values.push) {
    for (const pushed of await pushImages(names, values.push, values.tag, progress)) console.log(pushed)
    return
  }
  for (const { name, ref, digest, archive } of await buildImages(names, progress))
    console.log(`${name.padEnd(16)} ${ref} ${digest}\n${' '.repeat(17)}${archive}`)
}

await runTool(() => main(process.argv.slice(2)))
