/** What a model's answer says about itself. */
export interface Usage {
  responseModel?: string
  inputTokens?: number
  outputTokens?: number
}
export interface UsageReader {
  feed: (text: string) => void
  end: () => Usage
}
/** Reads along with an answer that streams by; holds one event, or one JSON body up to 8 Mi characters. */
export declare const createUsageReader: (contentType: string) => UsageReader
