/** The data of an event: somebody came by. */
export interface Visit {
  readonly visitor: string
  /** Ask the mail server to refuse this one until it is repaired. */
  readonly fail: boolean
}

/** What the business function needs of the outside world. */
export interface MailServer {
  send(to: string, text: string, refuse: boolean): Promise<void>
}

/**
 * The business function. The live path, every retry, every redrive and the unit test call this one; it knows nothing
 * of streams or attempts, and simply throws when it cannot do its work.
 */
export async function welcome(visit: Visit, mail: MailServer): Promise<string> {
  const text = `Welcome, ${visit.visitor}!`
  await mail.send(visit.visitor, text, visit.fail)
  return text
}
