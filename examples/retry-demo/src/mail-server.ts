import type { MailServer } from './welcome.ts'

/** Stands for a real one that is broken for some recipients until somebody repairs it. */
export class DemoMailServer implements MailServer {
  #repaired = false

  repair(): void {
    this.#repaired = true
  }

  async send(to: string, _text: string, refuse: boolean): Promise<void> {
    if (refuse && !this.#repaired) throw new MailRefused(to)
  }
}

export class MailRefused extends Error {
  constructor(to: string) {
    super(`the mail server refused the mail to ${to}`)
    this.name = 'MailRefused'
  }
}
