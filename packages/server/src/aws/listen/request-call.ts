import type { AwsCall } from '../aws-service.ts'

export interface RequestCallOptions extends Pick<AwsCall, 'region' | 'accountId' | 'baseUrl'> {
  readonly stopping: AbortSignal
  readonly response: {
    readonly writableFinished: boolean
    once(event: 'close', listener: () => void): unknown
    off(event: 'close', listener: () => void): unknown
  }
}

/** What an operation knows of one request. The signal is made for those that ask for it: most never wait. */
export class RequestCall implements AwsCall {
  readonly region: string
  readonly accountId: string
  readonly baseUrl: string
  readonly #stopping: AbortSignal
  readonly #response: RequestCallOptions['response']
  #controller: AbortController | undefined
  readonly #abort = () => this.#controller?.abort()

  constructor({ region, accountId, baseUrl, stopping, response }: RequestCallOptions) {
    this.region = region
    this.accountId = accountId
    this.baseUrl = baseUrl
    this.#stopping = stopping
    this.#response = response
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      this.#stopping.addEventListener('abort', this.#abort, { once: true })
      this.#response.once('close', this.#abort)
      if (this.#stopping.aborted) this.#abort()
    }
    return this.#controller.signal
  }

  /** Lets go of what outlives the request. */
  release(): void {
    if (this.#controller === undefined) return
    this.#stopping.removeEventListener('abort', this.#abort)
    this.#response.off('close', this.#abort)
  }
}
