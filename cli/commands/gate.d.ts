import { type Command } from 'commander'
import type { CliContext } from '../context.ts'
export declare const gateCommand: (program: Command, context: CliContext) => void
