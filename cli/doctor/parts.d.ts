import { type DoctorCheck } from './finding.ts'
export declare const partChecks: DoctorCheck[]
