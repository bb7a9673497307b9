const OPEN = /^ *# <policy>.*\n/m
const CLOSE = /^ *# <\/policy>/m

/**
 * `target` with what stands between its `# <policy>` marks replaced by what stands between those of `source`: a
 * ClusterAgentPolicy says the same as an AgentPolicy, and a CRD cannot refer to another.
 */
export function copyPolicyBlock(source: string, target: string): string {
  const [from, to] = [between(source), between(target)]
  return target.slice(0, to.start) + source.slice(from.start, from.end) + target.slice(to.end)
}

function between(text: string): { start: number; end: number } {
  const open = OPEN.exec(text)
  const close = CLOSE.exec(text)
  if (open === null || close === null) throw new Error('a policy CRD has lost its "# <policy>" marks')
  return { start: open.index + open[0].length, end: close.index }
}
