/** What `--…` chose. Every benchmark takes what concerns it. */
export interface Settings {
  /** A folder of this benchmark's own on the disk to measure; whoever made it removes it. */
  readonly dir: string
  /** Pending retries of `million`. */
  readonly pending: number
  /** Over how long the due times of `punctuality` are spread. */
  readonly spreadMs: number
  /** That `writers` write. */
  readonly records: number
  /** Tells what is going on, for a person who waits. */
  readonly say: (text: string) => void
}

export interface Target {
  readonly kind: 'at least' | 'at most'
  readonly value: number
}

/** One line of the table. */
export interface Result {
  readonly what: string
  readonly value: number
  readonly unit: Unit
  readonly target?: Target
  /** Both sides of a ratio, repetitions, whatever explains the value. */
  readonly note: string
  /** What a reader must know to judge the value, a line each, below it. */
  readonly remarks?: readonly string[]
  /** The note's figures for machines. */
  readonly details?: Readonly<Record<string, number | readonly number[]>>
}

export type Unit = 'ratio' | 'per second' | 'ms' | 'µs' | 'MiB' | 'count'

export interface Benchmark {
  readonly name: string
  /** Longer than this it is ended, and that is an error. */
  readonly timeoutMs: number
  run(settings: Settings): Promise<readonly Result[]>
}

/** Undefined without a target. */
export function isMet(result: Result): boolean | undefined {
  const { target, value } = result
  if (target === undefined) return undefined
  return target.kind === 'at least' ? value >= target.value : value <= target.value
}
