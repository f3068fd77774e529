export type PortOp =
  | `log.${'createStream' | 'deleteStream' | 'setRetention' | 'setLimits'}`
  | `log.${'listStreams' | 'describeStream'}`
  | `log.${'listShards' | 'append' | 'read' | 'split' | 'merge'}`
  | `queue.${'send' | 'receive' | 'ack' | 'delay' | 'depth' | 'stats' | 'purge'}`
  | `table.${'get' | 'getMany' | 'put' | 'delete' | 'query' | 'count'}`
  | `blobs.${'put' | 'get' | 'list' | 'delete'}`

/** One call of a port. */
export interface PortCall {
  /** Counts from 1 over all processes of the world. */
  readonly number: number
  readonly atMs: number
  readonly processId: number
  readonly op: PortOp
  readonly args: readonly unknown[]
  /** How it ended, in words; `pending` until then, and for ever after a crash. */
  readonly outcome: string
  readonly endedAtMs: number | undefined
}

export type MutableCall = { -readonly [K in keyof PortCall]: PortCall[K] }

const MAX_ARGS_CHARACTERS = 3_000

/** The last port calls of a run, for the report of a failing seed. */
export class CallTrace {
  readonly #limit: number
  readonly #calls: PortCall[] = []
  #next = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(call: PortCall): void {
    if (this.#limit === 0) return
    this.#calls[this.#next] = call
    this.#next = (this.#next + 1) % this.#limit
  }

  /** Oldest first. */
  calls(): PortCall[] {
    return [...this.#calls.slice(this.#next), ...this.#calls.slice(0, this.#next)]
  }

  /** One line a call, oldest first. Arguments are rendered now, as they stand. */
  lines(): string[] {
    return this.calls().map(lineOf)
  }
}

function lineOf(call: PortCall): string {
  const args = call.args.map(render).join(', ')
  const end = call.endedAtMs === undefined ? '' : ` @${call.endedAtMs}`
  return `#${call.number} @${call.atMs} p${call.processId} ${call.op}(${args}) -> ${call.outcome}${end}`
}

function render(arg: unknown): string {
  const text = JSON.stringify(arg, (_, value: unknown) => {
    if (value instanceof Uint8Array) return `${value.byteLength} bytes`
    return value instanceof AbortSignal ? undefined : value
  })
  if (text === undefined) return 'undefined'
  return text.length > MAX_ARGS_CHARACTERS ? `${text.slice(0, MAX_ARGS_CHARACTERS)}…` : text
}
