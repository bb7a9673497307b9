import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { emitChartTemplate } from './chart.ts'
import { emitDocs } from './docs.ts'
import { withLines } from './lines.ts'
import { loadKinds, parseKind } from './load.ts'
import { copyPolicyBlock } from './policy-block.ts'
import { emitTypes } from './types.ts'
import { emitValidators } from './validators.ts'

/** Everything that is generated from crds/ and from where the code declares what pages link to, by path below `root`. */
export function outputs(root: string): Map<string, string> {
  const crds = join(root, 'crds')
  const read = (file: string) => readFileSync(join(crds, file), 'utf8')
  const docs = (path: string) => readFileSync(join(root, 'docs', path), 'utf8')
  const clusterPolicies = copyPolicyBlock(read('agentpolicies.yaml'), read('clusteragentpolicies.yaml'))
  const kinds = loadKinds(crds).map((kind) =>
    kind.file === 'clusteragentpolicies.yaml' ? parseKind(kind.file, clusterPolicies) : kind,
  )
  return new Map([
    ['crds/clusteragentpolicies.yaml', clusterPolicies],
    ['lib/api/gen/types.ts', emitTypes(kinds)],
    ['lib/api/gen/validators.ts', emitValidators(kinds)],
    ['docs/api.md', emitDocs(kinds)],
    ['docs/architecture.md', withLines(docs('architecture.md'), docs)],
    ...kinds.map((kind) => [`charts/remit/templates/crds/${kind.file}`, emitChartTemplate(kind)] as const),
  ])
}
