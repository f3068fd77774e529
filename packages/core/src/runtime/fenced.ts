/**
 * Thrown inside the runtime when it finds that a later owner (a higher epoch) has taken over: this one is a former
 * owner that was slow rather than dead. It stops; nothing that it has under way may be written over the later one's.
 */
export class Fenced extends Error {
  constructor(what: string) {
    super(`another owner has taken over ${what}`)
    this.name = 'Fenced'
  }
}
