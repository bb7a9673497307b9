import type { Command } from 'commander'
import { isForbidden } from '../../lib/kube/errors.ts'
import { type CliContext, type ClusterFlags, connect } from '../context.ts'
import { type Finding, warn } from '../doctor/finding.ts'
import { partChecks } from '../doctor/parts.ts'
import { powersCheck } from '../doctor/powers.ts'
import { EXIT } from '../exit.ts'
import { clusterFlags, outputFlag } from '../flags.ts'

interface Flags extends ClusterFlags {
  systemNamespace: string
  output?: string
}
const MARKS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' }

export const doctorCommand = (program: Command, context: CliContext): void => {
  const command = program
    .command('doctor')
    .description('whether Remit is whole in this cluster, and who could act around it')
    .option('--system-namespace <namespace>', 'where Remit is installed', 'remit-system')
  outputFlag(clusterFlags(command)).action(async (flags: Flags) => {
    const { client } = connect(context, flags)
    const results: (Finding & { check: string })[] = []
    for (const check of [...partChecks, powersCheck]) {
      const findings = await check.run(client, flags).catch((error): Finding[] => {
        if (isForbidden(error))
          return [warn(`you may not look: ${error.message}`, 'Ask who administers the cluster to run this.')]
        throw error
      })
      results.push(...findings.map((finding) => ({ check: check.name, ...finding })))
    }
    if (flags.output === 'json') context.out(JSON.stringify({ findings: results }, null, 2))
    else
      for (const { check, level, what, remedy } of results)
        context.out(`${MARKS[level]}  ${check}: ${what}${remedy ? `\n      ${remedy}` : ''}`)
    if (results.some(({ level }) => level === 'fail')) process.exitCode = EXIT.problems
  })
}
