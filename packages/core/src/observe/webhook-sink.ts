import { NotifyError } from '../errors/engine-errors.ts'
import { InvalidOptionError } from '../errors/request-errors.ts'
import type { NotifySink } from '../model/app.ts'
import { checkInteger, checkObject, checkText } from '../model/option-checks.ts'

const TRIES = 3
const FIRST_WAIT_MS = 500

export interface WebhookOptions {
  /** `http:` or `https:`. Only its origin appears in logs and errors: path and query may hold a token. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** For each try: 1 to 60,000; default 5,000. */
  readonly timeoutMs?: number
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Waits between tries; default: real time. */
  readonly wait?: (delayMs: number) => Promise<void>
  /** Default `webhook`. */
  readonly name?: string
}

/**
 * Posts each notice as JSON: at most three tries, 500 ms and 1 s apart. A status that a repetition will not change
 * (4xx but 408 and 429) ends them at once.
 *
 * `notify` rejects with NotifyError when no try got through; the Notifier counts and logs that, and the stream never
 * waits for it.
 *
 * @throws InvalidOptionError
 */
export function webhookSink(options: WebhookOptions): NotifySink {
  const path = 'webhookSink()'
  checkObject(path, options, ['url', 'headers', 'timeoutMs', 'fetch', 'wait', 'name'])
  const url = checkUrl(`${path}.url`, options.url)
  const timeoutMs = checkInteger(`${path}.timeoutMs`, options.timeoutMs ?? 5_000, 1, 60_000)
  const post = options.fetch ?? globalThis.fetch
  const wait = options.wait ?? waitRealTime
  const name = checkText(`${path}.name`, options.name ?? 'webhook', 128)
  const headers = { 'content-type': 'application/json', ...options.headers }
  return {
    name,
    async notify(notice) {
      const body = JSON.stringify(notice)
      let problem = ''
      for (let attempt = 1; attempt <= TRIES; attempt += 1) {
        if (attempt > 1) await wait(FIRST_WAIT_MS * 2 ** (attempt - 2))
        try {
          const response = await post(url, {
            method: 'POST',
            headers,
            body,
            signal: AbortSignal.timeout(timeoutMs),
          })
          await response.body?.cancel()
          if (response.ok) return
          problem = `status ${response.status}`
          if (!isWorthRepeating(response.status)) break
        } catch (error) {
          problem = kindOf(error, timeoutMs)
        }
      }
      throw new NotifyError(name, url.origin, problem)
    },
  }
}

function isWorthRepeating(status: number): boolean {
  return status < 400 || status >= 500 || status === 408 || status === 429
}

/** The kind of a failure, not its message: those of fetch may quote the whole URL. */
function kindOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'no answer'
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`
  const { code } = (error.cause ?? error) as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}

function checkUrl(path: string, value: unknown): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  // The value may hold a token, so it is not repeated.
  throw new InvalidOptionError(
    path,
    'an http: or https: URL',
    typeof value === 'string' ? 'another text' : value,
  )
}

/** A sink talks to the real world, so it waits in real time, without a timer that keeps the process alive. */
function waitRealTime(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    AbortSignal.timeout(delayMs).addEventListener('abort', () => resolve(), { once: true })
  })
}
