import { isOpen, isScalar, type Kind, type Schema } from './schema.ts'

const HEAD = `# API reference

Generated from \`crds/\` by \`npm run gen\`. \`kubectl explain agentidentity.spec\` says the same in a terminal. A page in
prose about each kind is in [docs/kinds](kinds/).

Group \`remit.dev\`, version \`v1alpha1\`. In the tables **bold** fields are required.
`

/** docs/api.md: a section for each kind, and in it a table for each of its types. */
export function emitDocs(kinds: Kind[]): string {
  const parts = [HEAD]
  for (const kind of kinds) parts.push(kindSection(kind))
  return `${parts.join('\n').trimEnd()}\n`
}

function kindSection({ name, crd, schema }: Kind): string {
  const { scope, names } = crd.spec
  const short = names.shortNames.map((each) => `\`${each}\``).join(', ')
  const columns = (crd.spec.versions[0]?.additionalPrinterColumns ?? []).map(({ name, description, priority }) => {
    const meaning = `${description ?? ''}${priority ? ' With -o wide.' : ''}`
    return `| ${name.toUpperCase()} | ${cell(meaning)} |`
  })
  const objects = objectsOf(schema)
  const links = new Map(objects.map(([path, type]) => [type.title ?? path, slug(`${name} ${path}`)]))
  const sections = objects.flatMap(([path, type]) => [
    `### ${name} ${path}`,
    '',
    html(type.description ?? ''),
    '',
    ...fieldTable(type, links),
    ...rulesOf(type),
  ])
  return [
    `## ${name}`,
    '',
    html(schema.description ?? ''),
    '',
    `${scope === 'Cluster' ? 'Cluster-scoped' : 'Namespaced'}; \`kubectl get ${names.plural}\` (short: ${short}).`,
    '',
    '| column | meaning |',
    '|---|---|',
    ...columns,
    '',
    ...rulesOf(schema),
    ...sections,
  ].join('\n')
}

/** The anchor GitHub gives a heading. */
const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')

/** Every object with fields of its own, by the path of its first appearance; each type once. */
function objectsOf(root: Schema): [string, Schema][] {
  const found: [string, Schema][] = []
  const seen = new Set<string>()
  const go = (schema: Schema, path: string): void => {
    const isTable = schema.properties !== undefined && path !== ''
    if (isTable && schema.title !== undefined && seen.has(schema.title)) return
    if (isTable && schema.title !== undefined) seen.add(schema.title)
    if (isTable) found.push([path, schema])
    for (const [name, below] of Object.entries(schema.properties ?? {})) {
      if (path === '' && name === 'metadata') continue
      go(below, path === '' ? name : `${path}.${name}`)
    }
    if (schema.items !== undefined) go(schema.items, `${path}[]`)
  }
  go(root, '')
  return found
}

function fieldTable(schema: Schema, links: Map<string, string>): string[] {
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const label = schema.required?.includes(name) ? `**${name}**` : name
    const standard = field.default === undefined ? '' : ` Default: \`${field.default}\`.`
    return `| ${label} | ${cell(typeName(field, links))} | ${cell(`${field.description ?? ''}${standard}`)} |`
  })
  return ['| field | type | meaning |', '|---|---|---|', ...rows, '']
}

function typeName(schema: Schema, links: Map<string, string>): string {
  if (isScalar(schema)) return 'text, number or truth value'
  if (schema['x-kubernetes-int-or-string']) return 'quantity'
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value === '' ? '""' : value}\``).join(', ')
  switch (schema.type) {
    case 'array': {
      const key = schema['x-kubernetes-list-map-keys']?.[0]
      const bounds = [schema.minItems, schema.maxItems].some((bound) => bound !== undefined)
        ? `, ${schema.minItems ?? 0} to ${schema.maxItems ?? 'any number'}`
        : ''
      return `list of ${typeName(schema.items ?? {}, links)}${bounds}${key === undefined ? '' : `, each with its own ${key}`}`
    }
    case 'object':
      if (schema.additionalProperties !== undefined)
        return `map of text to ${typeName(schema.additionalProperties, links)}`
      return isOpen(schema) || schema.title === undefined ? 'object' : `[${schema.title}](#${links.get(schema.title)})`
    case 'string':
      return schema.format === 'date-time' ? 'date-time (RFC 3339)' : 'text'
    case 'boolean':
      return 'true or false'
    default:
      return rangeName(schema)
  }
}

function rangeName({ type, minimum, maximum }: Schema): string {
  const name = type === 'integer' ? 'whole number' : 'number'
  if (minimum !== undefined && maximum !== undefined) return `${name}, ${minimum} to ${maximum}`
  return minimum === undefined ? name : `${name}, at least ${minimum}`
}

/** What the API server says when a rule over the fields is broken; the reader meets it there. */
function rulesOf(schema: Schema): string[] {
  const rules = schema['x-kubernetes-validations'] ?? []
  if (rules.length === 0) return []
  return ['Refused with:', '', ...rules.map(({ message, fieldPath }) => `- ${label(fieldPath)}${html(message)}`), '']
}

const label = (fieldPath: string | undefined): string => (fieldPath === undefined ? '' : `\`${fieldPath.slice(1)}\`: `)

const html = (text: string): string => text.replaceAll('<', '&lt;')

const cell = (text: string): string => html(text).replaceAll('|', '\\|').replaceAll('\n', ' ')
