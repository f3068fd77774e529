import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

export interface AskedMail {
  readonly to: string
  /** It does not please the server until it is repaired. */
  readonly refuse: boolean
  readonly atMs: number
}

/** A mail server in this process, for handlers in others. */
export class MailService {
  /** In the order in which they came. */
  readonly asked: AskedMail[] = []
  isRepaired = false
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      void json(request).then((mail) => {
        const { to, refuse } = mail as AskedMail
        this.asked.push({ to, refuse, atMs: Date.now() })
        response.writeHead(refuse && !this.isRepaired ? 550 : 204).end()
      })
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mails`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
