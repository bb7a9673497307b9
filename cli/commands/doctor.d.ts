import type { Command } from 'commander'
import { type CliContext } from '../context.ts'
export declare const doctorCommand: (program: Command, context: CliContext) => void
