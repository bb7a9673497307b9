import type { Command } from 'commander'
import { type CliContext } from '../context.ts'
export declare const policyCommand: (program: Command, context: CliContext) => void
