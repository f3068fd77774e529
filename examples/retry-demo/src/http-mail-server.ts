import { MailRefused } from './mail-server.ts'
import type { MailServer } from './welcome.ts'

/** How long it may take: less than what a handler may. */
const TIMEOUT_MS = 10_000

/** One that every process of the application reaches: `POST <url>`, JSON; 2xx: it is sent. */
export class HttpMailServer implements MailServer {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async send(to: string, text: string, refuse: boolean): Promise<void> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ to, text, refuse }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    await response.body?.cancel()
    if (!response.ok) throw new MailRefused(to)
  }
}
