import type { KubeObject } from './types.ts'

/** Managed fields are about a third of an object and read by few; see {@link keepManager} for those. */
export const dropManagedFields = <T extends KubeObject>(object: T): T => {
  delete object.metadata.managedFields
  return object
}

/** Keeps of the managed fields what `manager` owns: what `applyIfChanged` needs to see. */
export const keepManager =
  (manager: string) =>
  <T extends KubeObject>(object: T): T => {
    const kept = object.metadata.managedFields?.filter((entry) => entry.manager === manager)
    if (kept?.length) object.metadata.managedFields = kept
    else delete object.metadata.managedFields
    return object
  }
