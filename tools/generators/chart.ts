import { dump } from 'js-yaml'
import type { Kind } from './schema.ts'

/**
 * A CRD as a template of the chart, so that `helm upgrade` upgrades it (it leaves a chart's crds/ folder alone); it
 * stays on uninstall, for the objects of its kind would go with it. Braces that Helm would read are escaped.
 */
export function emitChartTemplate({ file, crd }: Kind): string {
  const annotations = { 'helm.sh/resource-policy': 'keep', ...crd.metadata.annotations }
  const text = dump({ ...crd, metadata: { ...crd.metadata, annotations } }, { noRefs: true, lineWidth: 120 })
  return `# Generated from crds/${file} by \`npm run gen\`; change that instead.\n${text.replaceAll('{{', '{{ "{{" }}')}`
}
