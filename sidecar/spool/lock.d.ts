/**
 * Two gates on one spool would take each other's calls for orphans. Throws UserError(BadUsage) while another living
 * process holds the directory; a lock left by a killed one is taken over. Returns the release.
 */
export declare const lockDirectory: (dir: string) => () => void
