import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '@eddy/core'
import { type DeadLetter, type Invocation, invokeTarget } from './invoke-target.ts'
import { readRequest, type SchedulerRequest } from './read-request.ts'
import type { Schedule, ScheduleInput } from './schedule.ts'
import { type ListRequest, type Named, ScheduleBook } from './schedule-book.ts'
import { ERROR_STATUS, SchedulerError } from './scheduler-error.ts'

export interface SchedulerOptions {
  readonly clock: Clock
  /** What a schedule does when its time has come. Rejects when it cannot: it is tried again, as the retry policy says. */
  readonly invoke: (invocation: Invocation) => Promise<void>
  /** What could not be delivered. Default: it is forgotten. */
  readonly deadLetter?: (letter: DeadLetter) => Promise<void>
  /** How late within the minute that the service takes, 0 to 59,999 ms; default: by the clock's chance. */
  readonly latenessMs?: () => number
  /** Default `us-east-1`, `000000000000`. */
  readonly region?: string
  readonly accountId?: string
  /** Of the account; default a million. */
  readonly maxSchedules?: number
  /** Of CreateSchedule; default 1,000. */
  readonly createsPerSecond?: number
}

export interface RunningScheduler {
  /** `http://127.0.0.1:…`, for a client of the SDK. */
  readonly endpoint: string
  /** Requests that were answered, refused ones too, in order. */
  readonly requests: readonly SchedulerRequest[]
  /** What was refused, as an error's name and its message. */
  readonly refusals: readonly string[]
  close(): Promise<void>
}

const MINUTE_MS = 60_000
const MAX_BODY_BYTES = 1_048_576
const MAX_KEPT = 100_000
/** Longer waits are cut into pieces: timers of Node count to 2^31 milliseconds. */
const MAX_SLEEP_MS = 86_400_000

/**
 * A stand-in for Amazon EventBridge Scheduler, on a port of its own. It plays one-time schedules by the documented rules:
 * every request is checked against the service's model; a schedule invokes its target within the minute from its time on,
 * never before; `ActionAfterCompletion: DELETE` deletes it then.
 */
export async function startScheduler(options: SchedulerOptions): Promise<RunningScheduler> {
  const stopping = new AbortController()
  const requests: SchedulerRequest[] = []
  const refusals: string[] = []
  const firing = new Firing(options, stopping.signal)
  const answer = (request: SchedulerRequest): object => {
    if (requests.length < MAX_KEPT) requests.push(request)
    return firing.answer(request)
  }
  const server = createServer((request, response) => {
    void bodyOf(request)
      .then((body) => answer(readRequest(request.method ?? 'GET', request.url ?? '/', body)))
      .then(
        (output) => ({ status: 200, body: output, headers: {} }),
        (error: unknown) => {
          const refused = error instanceof SchedulerError ? error : internalError(error)
          if (refusals.length < MAX_KEPT) refusals.push(`${refused.name}: ${refused.message}`)
          const headers = { 'x-amzn-errortype': refused.name }
          return { status: ERROR_STATUS[refused.name], body: { Message: refused.message }, headers }
        },
      )
      .then(({ status, body, headers }) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers })
        response.end(JSON.stringify(body))
      })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    refusals,
    async close() {
      stopping.abort()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await firing.idle()
    },
  }
}

/** The schedules, each with what waits for its time. */
class Firing {
  readonly #options: SchedulerOptions
  readonly #stopping: AbortSignal
  readonly #book: ScheduleBook
  readonly #running = new Set<Promise<void>>()
  #executions = 0

  constructor(options: SchedulerOptions, stopping: AbortSignal) {
    const { clock, region = 'us-east-1', accountId = '000000000000' } = options
    this.#options = options
    this.#stopping = stopping
    this.#book = new ScheduleBook({
      ...{ clock, region, accountId },
      maxSchedules: options.maxSchedules ?? 1_000_000,
      createsPerSecond: options.createsPerSecond ?? 1_000,
      onChange: (schedule) => this.#await(schedule),
    })
  }

  answer({ operation, input }: SchedulerRequest): object {
    const operations: Readonly<Record<string, () => object>> = {
      CreateSchedule: () => this.#book.create(input as unknown as ScheduleInput),
      UpdateSchedule: () => this.#book.update(input as unknown as ScheduleInput),
      GetSchedule: () => this.#book.get(input as unknown as Named),
      DeleteSchedule: () => this.#book.delete(input as unknown as Named),
      ListSchedules: () => this.#book.list(input as ListRequest),
      CreateScheduleGroup: () => this.#book.createGroup(input as unknown as Named),
      GetScheduleGroup: () => this.#book.getGroup(input as unknown as Named),
      DeleteScheduleGroup: () => this.#book.deleteGroup(input as unknown as Named),
      ListScheduleGroups: () => this.#book.listGroups(input as ListRequest),
    }
    const run = operations[operation]
    if (run === undefined) throw new Error(`the model has ${operation}, and nothing answers it`)
    return run()
  }

  async idle(): Promise<void> {
    await Promise.all(this.#running)
  }

  #await(schedule: Schedule): void {
    if (schedule.input.State === 'DISABLED') return
    const running: Promise<void> = this.#fire(schedule).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #fire(schedule: Schedule): Promise<void> {
    const { clock, invoke, deadLetter = async () => {} } = this.#options
    const { MaximumWindowInMinutes: windowMinutes = 1 } = schedule.input.FlexibleTimeWindow
    const latenessMs = this.#options.latenessMs?.() ?? Math.floor(clock.random() * MINUTE_MS * windowMinutes)
    const fireAtMs = schedule.atMs + latenessMs
    while (clock.now() < fireAtMs && !this.#stopping.aborted) {
      await clock.sleep(Math.min(MAX_SLEEP_MS, fireAtMs - clock.now()), this.#stopping)
      // Deleted, or another one by now.
      if (this.#book.current(schedule) !== schedule) return
    }
    if (this.#stopping.aborted || this.#book.current(schedule) !== schedule) return
    this.#executions += 1
    const executionId = `execution-${String(this.#executions).padStart(12, '0')}`
    await invokeTarget({ clock, invoke, deadLetter }, schedule, executionId, this.#stopping)
    this.#book.done(schedule)
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new SchedulerError('ValidationException', 'The body is too large.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function internalError(error: unknown): SchedulerError {
  return new SchedulerError('InternalServerException', String(error))
}
