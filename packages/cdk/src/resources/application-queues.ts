import { type AwsResources, queueNameOf } from '@eddy/aws/resources'
import type { RemovalPolicy } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { AppDescription } from '../app/app-description.ts'
import { deadQueue, RedrivenQueue } from './redriven-queue.ts'
import { RESCUE_SECONDS } from './rescue-seconds.ts'

/**
 * What fails is in the ledger after one receive, and what kills the function is given up by its crash marks, from the third
 * receive on: so hardly anything ever ends in a dead queue. Tokens are replaced before they come so often.
 */
const RETRY_RECEIVES = 20
/** Messages also come again for as long as their subscription is paused: half a day, with a timeout of 75 seconds. */
const SOURCE_RECEIVES = 100
/** Lambda asks for 6 times the function's timeout, and the time for which it gathers messages. */
const VISIBILITY_FACTOR = 6

export interface ApplicationQueuesOptions {
  readonly app: AppDescription
  readonly resources: Pick<AwsResources, 'name'>
  /** By subscription: the timeout of its functions, in seconds. */
  readonly timeouts: ReadonlyMap<string, number>
  /** By subscription: how long Lambda gathers messages of its queue, in seconds. */
  readonly windows: ReadonlyMap<string, number>
  readonly key: IKey | undefined
  readonly removalPolicy: RemovalPolicy
}

/** A queue for each queue source, one for the retries of each subscription, and the dead queues behind them. */
export class ApplicationQueues extends Construct {
  readonly sources: ReadonlyMap<string, RedrivenQueue>
  readonly retries: ReadonlyMap<string, RedrivenQueue>
  /** One-time schedules that could not be sent. */
  readonly deadSchedules: Queue
  /** Asynchronous invocations that failed: of the rescue and the sweep. */
  readonly deadInvocations: Queue

  constructor(scope: Construct, id: string, options: ApplicationQueuesOptions) {
    super(scope, id)
    const { app, timeouts, windows } = options
    this.sources = new Map(
      app.queues.map(({ name, isFifo }) => {
        const reader = app.subscriptions.find(({ source }) => source.kind === 'queue' && source.name === name)
        const { timeout, window } =
          reader === undefined ? {} : { timeout: timeouts.get(reader.name), window: windows.get(reader.name) }
        return [name, this.#redriven(options, `queue/${name}`, { isFifo, timeout, window, isRescued: true })]
      }),
    )
    this.retries = new Map(
      app.subscriptions.map(({ name }) => {
        const one = { isFifo: false, timeout: timeouts.get(name) }
        return [name, this.#redriven(options, `retry/${name}`, one)]
      }),
    )
    const { key, removalPolicy, resources } = options
    const dead = (what: string) =>
      deadQueue(this, `dead-${what}`, {
        name: queueNameOf(resources, `dead-${what}`, false),
        isFifo: false,
        key,
        removalPolicy,
      })
    this.deadSchedules = dead('schedules')
    this.deadInvocations = dead('invocations')
  }

  #redriven(
    { resources, key, removalPolicy }: ApplicationQueuesOptions,
    portQueue: string,
    {
      isFifo,
      timeout = 60,
      window = 0,
      isRescued,
    }: {
      isFifo: boolean
      timeout: number | undefined
      window?: number | undefined
      isRescued?: boolean
    },
  ): RedrivenQueue {
    return new RedrivenQueue(this, portQueue.replace('/', '-'), {
      name: queueNameOf(resources, portQueue, isFifo),
      deadName: queueNameOf(resources, `dead-${portQueue}`, isFifo),
      isFifo,
      visibilitySeconds: VISIBILITY_FACTOR * timeout + window,
      maxReceiveCount: isRescued === true ? SOURCE_RECEIVES : RETRY_RECEIVES,
      ...(isRescued === true && { deadVisibilitySeconds: VISIBILITY_FACTOR * RESCUE_SECONDS }),
      key,
      removalPolicy,
    })
  }
}
