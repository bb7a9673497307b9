import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CannotSetUp } from '../cluster/cluster.ts'
import { repoRoot, toolsConfig } from '../cluster/config.ts'
import { read, run } from '../cluster/exec.ts'
import type { Progress } from '../progress.ts'
import { ensureContext } from './build.ts'

const answers = async (program: string, args: string[]) =>
  (await run(program, args, { allowFailure: true, timeoutMs: 10_000 }).catch(() => ({ code: 1 }))).code === 0

/** The two builders that read the Dockerfile, as commands. `iid` receives the digest that the registry has. */
export function pushCommands(
  builder: 'docker' | 'buildah',
  image: { name: string; ref: string; context: string; file: string; digestFile: string },
): string[][] {
  const common = ['--file', image.file, '--target', image.name, '--tag', image.ref]
  if (builder === 'docker')
    return [
      ['docker', 'build', ...common, image.context],
      ['docker', 'push', image.ref],
    ]
  const buildah = ['buildah', '--storage-driver', 'vfs']
  return [
    // chroot isolation works inside containers, where buildah's own sandbox does not start.
    [...buildah, 'bud', '--isolation', 'chroot', ...common, image.context],
    // As docker does: a registry on this machine is spoken to without TLS.
    [
      ...buildah,
      'push',
      `--tls-verify=${!/^(localhost|127\.0\.0\.1)[:/]/.test(image.ref)}`,
      '--digestfile',
      image.digestFile,
      image.ref,
    ],
  ]
}

/** What the registry answered to the push; docker keeps it as `repository@digest`. */
const dockerDigest = async (ref: string): Promise<string> =>
  (await read('docker', ['image', 'inspect', '--format', '{{index .RepoDigests 0}}', ref])).split('@')[1] ?? ''

/**
 * Builds images with the user's docker or buildah and pushes them as `<prefix>/<name>:<tag>`; credentials are the
 * builder's own (`docker login`, `buildah login`). Returns the references with the digests the registry has.
 */
export async function pushImages(
  names: readonly string[],
  prefix: string,
  tag: string,
  progress: Progress,
): Promise<string[]> {
  const builder = (await answers('docker', ['info']))
    ? 'docker'
    : (await answers('buildah', ['--version']))
      ? 'buildah'
      : undefined
  if (!builder)
    throw new CannotSetUp(
      'Pushing takes docker (with its daemon running) or buildah. On Debian: apt-get install buildah',
    )
  const context = await ensureContext(names, progress)
  const pushed: string[] = []
  for (const name of names) {
    const ref = `${prefix.replace(/\/$/, '')}/${name}:${tag}`
    const digestFile = join(toolsConfig().cacheDir, 'images', `pushed-${name}`)
    await progress.step(`Build and push ${ref}`, 20, async (say) => {
      for (const [program, ...args] of pushCommands(builder, {
        name,
        ref,
        context,
        file: join(repoRoot, 'tools/images/Dockerfile'),
        digestFile,
      })) {
        await run(program!, args, { onLine: say })
      }
    })
    const digest = builder === 'buildah' ? readFileSync(digestFile, 'utf8').trim() : await dockerDigest(ref)
    pushed.push(`${ref}@${digest}`)
  }
  return pushed
}
