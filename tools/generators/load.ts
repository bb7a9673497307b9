import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import type { Crd, Kind } from './schema.ts'

/** Every CRD of a folder, by file name. */
export function loadKinds(folder: string): Kind[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
  return files.sort().map((file) => parseKind(file, readFileSync(join(folder, file), 'utf8')))
}

/** One CRD; `file` is what messages call it. It has exactly one version. */
export function parseKind(file: string, text: string): Kind {
  const crd = load(text) as Crd
  const version = crd.spec.versions[0]
  if (version === undefined || crd.spec.versions.length !== 1)
    throw new Error(`${file}: exactly one version is expected`)
  return { file, crd, name: crd.spec.names.kind, schema: version.schema.openAPIV3Schema }
}
