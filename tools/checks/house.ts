import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A rule of the house that no compiler holds: a text that source files of some folders must not have. */
interface HouseRule {
  /** Paths it is about. */
  files: RegExp
  except?: RegExp
  forbidden: RegExp
  why: string
}

const TEST = /\.(test|bench)\.ts$|\/testing\//
const PARTS = 'operator|webhook|sidecar|ledger|bridge|cli'

export const HOUSE_RULES: readonly HouseRule[] = [
  {
    files: /^(lib\/(api|core|service)|sidecar)\//,
    forbidden: /(?:from|import\() ?['"]@kubernetes\/client-node/,
    why: 'imports @kubernetes/client-node, which belongs to lib/kube: it costs 60 MB in a sidecar',
  },
  {
    files: new RegExp(`^(lib|${PARTS})/`),
    except: new RegExp(`${TEST.source}|(^|/)(config|main)\\.ts$`),
    forbidden: /\bprocess\.env\b/,
    why: 'reads the environment; only a config.ts does, given it by main.ts',
  },
  {
    files: /^lib\/core\//,
    except: TEST,
    forbidden:
      /\bDate\.now\(\)|\bnew Date\(\)|\bsetTimeout\(|\bfetch\(|from 'node:(fs|http|https|net|tls|child_process)/,
    why: 'has a clock or does IO; lib/core is pure (node:net may give isIP)',
  },
  {
    files: /\.ts$/,
    except: /^tools\/checks\//,
    forbidden: /\b(it|test|describe)\.(skip|only|todo)\b/,
    why: 'skips a test or runs only some',
  },
  {
    files: new RegExp(`^(lib|${PARTS}|tools)/.*\\.ts$`),
    except: /^tools\/checks\//,
    forbidden: /\b(TODO|FIXME)\b/,
    why: 'leaves work for later in a comment',
  },
  { files: /\.d\.ts$/, forbidden: /^/, why: 'is a declaration that a compiler wrote beside the sources; remove it' },
]

/** isIP is arithmetic on a text, not IO. */
const PURE = /import \{ isIP(?:v4|v6)?(?:, isIP(?:v4|v6)?)* \} from 'node:net'/g

/** What breaks a rule, as "path:line why". */
export function breaches(path: string, text: string): string[] {
  const found: string[] = []
  for (const { files, except, forbidden, why } of HOUSE_RULES) {
    if (!files.test(path) || except?.test(path)) continue
    for (const [index, line] of text.split('\n').entries()) {
      if (!forbidden.test(line.replaceAll(PURE, ''))) continue
      found.push(`${path}:${index + 1} ${why}`)
      break
    }
  }
  return found
}

/** The same for every source file git knows or would add. */
export function houseBreaches(root: string): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], { cwd: root, encoding: 'utf8' })
  const files = listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)))
  return files.flatMap((path) => breaches(path, readFileSync(join(root, path), 'utf8')))
}
