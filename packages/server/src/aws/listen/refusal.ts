import type { AwsAnswer } from '../aws-request.ts'

/** A request that is refused before it is known which service it is for: a bare status, as the service gives it. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number) {
    super(`refused with status ${status}`)
    this.name = 'Refusal'
    this.status = status
  }

  get answer(): AwsAnswer {
    return { status: this.status, headers: {}, body: '' }
  }
}
