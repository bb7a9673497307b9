/** The cluster under test, as `tools/test.ts` names it. */
export interface E2eConfig {
  context: string
  provider: string
  kubeconfig: string
  /** Where the cluster finds the fixtures' images. */
  images: string
}

const needed = (name: string): string => {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set; run these tests with: npm test -- e2e`)
  return value
}

export const config: E2eConfig = {
  context: needed('REMIT_TEST_CONTEXT'),
  provider: needed('REMIT_TEST_PROVIDER'),
  kubeconfig: needed('KUBECONFIG'),
  images: process.env.REMIT_TEST_IMAGES || 'remit.local',
}
