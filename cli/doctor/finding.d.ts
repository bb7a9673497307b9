import type { Client } from '../../lib/kube/client.ts'
export interface Finding {
  level: 'ok' | 'warn' | 'fail'
  what: string
  /** What to do about it; for warn and fail. */
  remedy?: string
}
export interface DoctorCheck {
  name: string
  run(
    client: Client,
    options: {
      systemNamespace: string
    },
  ): Promise<Finding[]>
}
export declare const ok: (what: string) => Finding
export declare const warn: (what: string, remedy: string) => Finding
export declare const fail: (what: string, remedy: string) => Finding
