import { createParser } from 'eventsource-parser'

/** What a model's answer says about itself. */
export interface Usage {
  responseModel?: string
  inputTokens?: number
  outputTokens?: number
}

const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined

type Loose = Record<string, unknown> | null | undefined
const object = (value: unknown): Loose => (typeof value === 'object' ? (value as Loose) : undefined)

/**
 * Adds what one JSON object of an answer tells: a whole OpenAI chat completion or response, a whole Anthropic message,
 * or one event of their streams. Anthropic counts cached input apart; it is added, so that the sum is what was read.
 */
const take = (usage: Usage, value: unknown): void => {
  const event = object(value)
  if (!event) return
  const whole = object(event.response) ?? object(event.message) ?? event
  if (typeof whole.model === 'string') usage.responseModel = whole.model.slice(0, 200)
  const told = object(whole.usage) ?? object(event.usage)
  if (!told) return
  const cached = (count(told.cache_read_input_tokens) ?? 0) + (count(told.cache_creation_input_tokens) ?? 0)
  const input = count(told.prompt_tokens) ?? count(told.input_tokens)
  const output = count(told.completion_tokens) ?? count(told.output_tokens)
  if (input !== undefined) usage.inputTokens = input + cached
  if (output !== undefined) usage.outputTokens = output
}

const takeText = (usage: Usage, text: string): void => {
  try {
    take(usage, JSON.parse(text))
  } catch {
    // Not JSON ("[DONE]", an HTML page): it tells nothing.
  }
}

export interface UsageReader {
  feed: (text: string) => void
  end: () => Usage
}

/** A JSON answer over this many characters is passed on without being read. */
const MAX_JSON = 8 * 1024 * 1024

/** Reads along with an answer that streams by; holds one event, or one JSON body up to 8 Mi characters. */
export const createUsageReader = (contentType: string): UsageReader => {
  const usage: Usage = {}
  if (contentType.startsWith('text/event-stream')) {
    const parser = createParser({
      maxBufferSize: MAX_JSON,
      // Only few events of a stream carry numbers; the many that carry words are not worth parsing.
      onEvent: ({ data }) => {
        if (data.includes('"usage"') || usage.responseModel === undefined) takeText(usage, data)
      },
    })
    let open = true
    return {
      feed: (text) => {
        if (!open) return
        try {
          parser.feed(text)
        } catch {
          open = false
        }
      },
      end: () => usage,
    }
  }
  let whole: string | undefined = contentType.startsWith('application/json') ? '' : undefined
  return {
    feed: (text) => {
      if (whole === undefined) return
      whole = whole.length + text.length > MAX_JSON ? undefined : whole + text
    },
    end: () => {
      if (whole) takeText(usage, whole)
      return usage
    },
  }
}
