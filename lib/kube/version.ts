const isVersion = (text: string): boolean => /^[1-9]\d*$/.test(text)

/**
 * Whether one resourceVersion of a resource is older than another of the same. They are decimal numbers of any length
 * that grow; of what is none, nothing is older. Source: Kubernetes 1.35, KEP-5504; earlier API servers count so too.
 */
export const isOlder = (version: string, than: string): boolean =>
  isVersion(version) &&
  isVersion(than) &&
  (version.length === than.length ? version < than : version.length < than.length)
