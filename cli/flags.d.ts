import { type Command } from 'commander'
export declare const clusterFlags: (command: Command) => Command
export declare const outputFlag: (command: Command) => Command
/** "1h" as milliseconds. */
export declare const durationValue: (value: string) => number
