import type { Body, Tally } from './tally.ts'

/** Messages of one call, and calls under way at a time: 2,000 messages in flight, on every side. */
export const BATCH = 500
export const CALLERS = 4
/** Before a message that failed is tried again, where a side can wait that short. */
export const RETRY_WAIT_MS = 100
/** For one round of one shape. */
export const ROUND_TIMEOUT_MS = 45_000

/** Something that takes messages in, durably, and hands them to a handler until they are acknowledged. */
export interface Peer {
  readonly name: string
  /** Messages of a round: more where it is fast, so that a round takes about as long everywhere. */
  readonly messages: number
  /** Its batches, and how it retries: for people. */
  readonly how: string
  /** What of the acknowledgements survives a power cut. */
  readonly progress: string
  /** @throws Unavailable where what it needs cannot be had here */
  start(place: Place): Promise<RunningPeer>
}

export interface Place {
  /** A folder of this side's own; all sides' folders are on one disk. */
  readonly dir: string
  /** Where programs that had to be fetched are put. */
  readonly programsDir: string
}

export interface RunningPeer {
  /** Of the library, and of the server. */
  readonly version: string
  /** CPU milliseconds that its server has used until now; undefined where that cannot be read. */
  serverCpuMs(): number | undefined
  /** A new queue with nothing in it. @param name - letters, digits and hyphens, new on every call */
  queue(name: string): Promise<PeerQueue>
  stop(): Promise<void>
}

export interface PeerQueue {
  /** Resolves when the messages are on the disk. */
  produce(messages: readonly Body[]): Promise<void>
  /** Starts to hand messages to the tally's handler. */
  consume(tally: Tally): Promise<Consumption>
  /** Messages that the side still holds to be handled or acknowledged. */
  left(): Promise<number>
  close(): Promise<void>
}

export interface Consumption {
  /** Called once the tally is complete. Resolves when every message is acknowledged, as durably as it gets. */
  settle(): Promise<void>
}

/** What a side needs is not on this machine and could not be fetched. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}
