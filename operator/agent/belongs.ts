import { LABEL_AGENT_ID } from '../../lib/api/names.ts'

interface Labelled {
  kind?: string
  metadata: { labels?: Record<string, string>; ownerReferences?: { uid: string }[] }
}

/** Whether a pod is this agent's: by the very label its fence selects it by. One relabelled has left its fence and is a stranger. */
export const isPodOf =
  (uid: string | undefined) =>
  ({ metadata }: Labelled): boolean =>
    metadata.labels?.[LABEL_AGENT_ID] === uid

/**
 * Whether anything else is this agent's: by label or owner, so that a fence whose label somebody edited is mended where
 * it stands, not taken down and put up again.
 */
export const isOf =
  (uid: string | undefined) =>
  ({ metadata }: Labelled): boolean =>
    metadata.labels?.[LABEL_AGENT_ID] === uid || (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid)
