import { ok } from './kubectl.ts'
import { MADE_BY } from './world.ts'

/** Before the first file: asks for the end of what runs that were killed left behind; nothing waits for it. */
export default async (): Promise<void> => {
  await ok(['delete', 'namespace', '-l', MADE_BY, '--wait=false'])
}
