import { archivedImages } from '../../images/build.ts'
import { run } from '../exec.ts'
import type { Layout } from './layout.ts'

/** Puts images into the node's containerd, each under its tag and its digest. What is there already is not loaded again. */
export async function loadArchives(l: Layout, archives: readonly string[]): Promise<void> {
  const images = [...new Set(archives)].flatMap(archivedImages)
  const ctr = (args: string[]) => run('ctr', ['-a', l.containerdSocket, '-n', 'k8s.io', 'images', ...args])
  const present = (await ctr(['ls', '-q'])).stdout.split('\n')
  const wanted = images.filter(({ digestRef }) => !present.includes(digestRef))
  for (const file of new Set(wanted.map((image) => image.archive))) await ctr(['import', file])
  for (const { ref, digestRef } of wanted) await ctr(['tag', '--force', ref, digestRef])
  // A tag that moved back to a known digest has to be set again.
  for (const { ref, digestRef } of images.filter((image) => !wanted.includes(image)))
    await ctr(['tag', '--force', digestRef, ref])
}
