import { type DoctorCheck } from './finding.ts'
/** Who could act around Remit. Nothing is wrong with having such people; nobody should be among them by accident. */
export declare const powersCheck: DoctorCheck
