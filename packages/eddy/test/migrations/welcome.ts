export interface Visit {
  readonly visitor: string
}

/** Stands for the function that a team has already: it sends a mail, and throws when it cannot. */
export async function welcome({ visitor }: Visit): Promise<void> {
  if (mailServer.isDown) throw new Error(`the mail server refused the mail to ${visitor}`)
  mailServer.sent.push(visitor)
}

export const mailServer: { isDown: boolean; sent: string[] } = { isDown: false, sent: [] }
