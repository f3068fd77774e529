declare module 'kinesalite' {
  import type { Server } from 'node:http'

  /** Times are how long a stream is in a state; `shardLimit` is the account's. */
  export default function kinesalite(options: {
    readonly createStreamMs: number
    readonly deleteStreamMs: number
    readonly updateStreamMs: number
    readonly shardLimit: number
  }): Server
}
