import { readFileSync } from 'node:fs'
import type { FailureDetail, FailurePage } from '@eddy/core'
import type { DeployedApp } from '../../support/functions/deployed-app.ts'
import type { Deed, Step } from '../apps/poison-app.ts'
import { until } from './until.ts'

const KEYS = 5

export interface Poison {
  /** By the place of an event: its process ends itself, or is hung until its time is over. */
  readonly deeds: ReadonlyMap<number, 'exit' | 'hang'>
  readonly events: number
}

/** A stream with events that no process survives. */
export class PoisonedStream {
  readonly name: string
  readonly #app: DeployedApp
  readonly #file: string
  readonly #poison: Poison
  /** Where each event lies in its shard: only a key's are in the order in which they were put. */
  #sequence: readonly bigint[] = []

  constructor(name: string, { app, file, poison }: { app: DeployedApp; file: string; poison: Poison }) {
    this.name = name
    this.#app = app
    this.#file = file
    this.#poison = poison
  }

  get subscription(): string {
    return `work-${this.name}`
  }

  async put(): Promise<void> {
    const { deeds, events: count } = this.#poison
    const events = Array.from({ length: count }, (_, index) => {
      const data: Deed = { index, does: deeds.get(index) ?? 'nothing' }
      return { id: `e${index}`, key: `k${index % KEYS}`, type: 'deed', data }
    })
    const { results } = await this.#app.http<{ readonly results: readonly { sequenceNumber: string }[] }>(
      'POST',
      `/v1/streams/${this.name}/records`,
      events,
    )
    this.#sequence = results.map(({ sequenceNumber }) => BigInt(sequenceNumber))
  }

  /** Until every other event is done and the poisonous ones are dead. @returns them, with their payloads */
  async end(): Promise<readonly FailureDetail[]> {
    const { deeds, events } = this.#poison
    const list = (status: string) =>
      this.#app.http<FailurePage>('GET', `/v1/failures?subscription=${this.subscription}&status=${status}`)
    const look = async () => ({
      done: new Set(this.steps('done').map(({ index }) => index)).size,
      dead: (await list('dead')).items,
      waiting: (await list('retrying')).items.length + (await list('held')).items.length,
    })
    const { dead } = await until(
      look,
      (seen) => seen.done === events - deeds.size && seen.dead.length === deeds.size && seen.waiting === 0,
      { logs: () => `${JSON.stringify(this.steps())}\n${this.#app.logs}` },
    )
    return await Promise.all(
      dead.map(({ id }) => this.#app.http<FailureDetail>('GET', `/v1/failures/${encodeURIComponent(id)}`)),
    )
  }

  /** Events whose rescue came after later ones of their key, as the ledger says. */
  async late(): Promise<ReadonlySet<string>> {
    const { items } = await this.#app.http<FailurePage>(
      'GET',
      `/v1/failures?subscription=${this.subscription}&limit=1000`,
    )
    return new Set(items.filter(({ outOfOrder }) => outOfOrder === true).map(({ eventId }) => eventId))
  }

  steps(is?: Step['is']): readonly Step[] {
    const lines = readFileSync(this.#file, 'utf8').split('\n')
    return lines
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Step)
      .filter((step) => step.stream === this.name && (is === undefined || step.is === is))
  }

  /**
   * Events that were begun before one of their key, or of their shard, had come to its end (I3): `e12 before e7`.
   * @param late - events that the ledger says are out of order
   */
  outOfOrder(bound: 'key' | 'shard', late: ReadonlySet<string> = new Set()): readonly string[] {
    const steps = this.steps()
    const ended = new Map<number, number>()
    for (const [place, { index, is }] of steps.entries()) {
      // A poisonous one ends with its last start. Any other may come again: what counts is that it was done.
      const isPoison = this.#poison.deeds.has(index)
      if (isPoison || (is === 'done' && !ended.has(index))) ended.set(index, place)
    }
    const found: string[] = []
    for (const [place, { index }] of steps.entries()) {
      for (const [earlier, end] of ended) {
        const isBound = bound === 'shard' || earlier % KEYS === index % KEYS
        if (isBound && !late.has(`e${earlier}`) && this.#isBefore(earlier, index) && place < end)
          found.push(`e${index} before e${earlier}`)
      }
    }
    return found
  }

  #isBefore(one: number, other: number): boolean {
    return (this.#sequence[one] ?? 0n) < (this.#sequence[other] ?? 0n)
  }
}
