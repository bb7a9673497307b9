/** Calls `changed` when the content of any of the files is another; looks every `pollMs`, because editors replace files. */
export declare const followFiles: (
  paths: string[],
  changed: () => void,
  pollMs?: number,
) => {
  close: () => void
}
