/** How a client's script is started; the cases come as the last argument. */
export interface Command {
  program: string
  args: string[]
  env?: Record<string, string>
}
