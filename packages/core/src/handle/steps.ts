import { StepLimitError } from '../errors/handler-errors.ts'
import { keys } from '../fail/keys.ts'
import type { Engine } from '../ports/engine.ts'
import type { ItemKey } from '../ports/table.ts'

const MAX_STEPS = 100
const MAX_RESULT_CHARACTERS = 256 * 1024
/** Longer than any open event waits that is looked after; an end all the same, for what nobody comes back to. */
const OPEN_RETENTION_MS = 400 * 86_400_000
/** A later failed attempt writes again only once this much of it is gone. */
const RENEW_AFTER_MS = OPEN_RETENTION_MS / 2

interface StoredStep {
  readonly [name: string]: string
  /** JSON, wrapped so that `undefined` survives. */
  readonly result: string
}

type StepsEngine = Pick<Engine, 'table' | 'clock' | 'md5Hex'>

/**
 * Results of finished steps, under (subscription, event, name): a later attempt gets them instead of a second call.
 * A crash between the call and the store repeats the call; nothing short of the step's own idempotency can prevent that.
 */
export class Steps {
  readonly #engine: StepsEngine
  readonly #subscription: string
  readonly #retentionMs: number

  constructor(engine: StepsEngine, subscription: string, retentionMs: number) {
    this.#engine = engine
    this.#subscription = subscription
    this.#retentionMs = retentionMs
  }

  /** The steps of one event, for one attempt. */
  of(eventIdentity: string): EventSteps {
    const partition = keys.steps(this.#subscription, this.#engine.md5Hex(eventIdentity))
    return new EventSteps(this.#engine, partition, this.#retentionMs)
  }
}

/** A step that this attempt has called, as it is stored. */
interface UsedStep {
  readonly version: number
  readonly value: StoredStep
  readonly expiresAtMs: number
}

/**
 * One attempt's steps. They are kept for `retentionMs`; from the first failed attempt on for as long as the event may
 * be open (retries may outlast the retention, a parked event waits for a person); once it is handled, for
 * `retentionMs` again.
 */
export class EventSteps {
  readonly #engine: StepsEngine
  readonly #partition: string
  readonly #retentionMs: number
  readonly #names = new Set<string>()
  readonly #used = new Map<string, UsedStep>()
  #keepMs: number

  constructor(engine: StepsEngine, partition: string, retentionMs: number) {
    this.#engine = engine
    this.#partition = partition
    this.#retentionMs = retentionMs
    this.#keepMs = retentionMs
  }

  async run<T>(name: string, fn: () => Promise<T> | T): Promise<T> {
    checkName(name, this.#names)
    const { table, clock } = this.#engine
    const key = this.#keyOf(name)
    const stored = await table.get<StoredStep>(key)
    if (stored !== undefined) return parse<T>(await this.#use(name, stored))
    const result = JSON.stringify({ value: await fn() })
    if (result.length > MAX_RESULT_CHARACTERS) {
      throw new StepLimitError(
        `the result of "${name}" is ${result.length} characters of JSON; the limit is ${MAX_RESULT_CHARACTERS}. Keep a reference instead.`,
      )
    }
    const value: StoredStep = { result }
    const expiresAtMs = clock.now() + this.#keepMs
    const written = await table.put<StoredStep>({ ...key, value, expiresAtMs }, 'absent')
    if (written.ok) return parse<T>(await this.#use(name, { version: written.version, value, expiresAtMs }))
    // Another attempt finished the step first: its result is the one that every later attempt will see.
    return parse<T>(written.current === undefined ? value : await this.#use(name, written.current))
  }

  /** Keeps the attempt's steps for as long as its outcome asks for; best effort. Never rejects. */
  async ended(outcome: 'ok' | 'failed'): Promise<void> {
    this.#keepMs = outcome === 'failed' ? OPEN_RETENTION_MS : this.#retentionMs
    await Promise.all([...this.#used].map(([name, step]) => this.#keep(name, step)))
  }

  /** A handler whose time was up may still go on: what it stores then is kept like the rest. */
  async #use(
    name: string,
    stored: Omit<UsedStep, 'expiresAtMs'> & { readonly expiresAtMs?: number },
  ): Promise<StoredStep> {
    const { version, value, expiresAtMs = Number.POSITIVE_INFINITY } = stored
    const step = { version, value, expiresAtMs }
    this.#used.set(name, step)
    if (this.#keepMs !== this.#retentionMs) await this.#keep(name, step)
    return value
  }

  async #keep(name: string, step: UsedStep): Promise<void> {
    const { table, clock } = this.#engine
    const keptMs = step.expiresAtMs - clock.now()
    const isRight =
      this.#keepMs === this.#retentionMs ? keptMs <= this.#retentionMs : keptMs >= RENEW_AFTER_MS
    if (isRight) return
    const expiresAtMs = clock.now() + this.#keepMs
    const item = { ...this.#keyOf(name), value: step.value, expiresAtMs }
    try {
      const written = await table.put<StoredStep>(item, step.version)
      if (written.ok) this.#used.set(name, { ...step, version: written.version, expiresAtMs })
    } catch {
      // The next attempt that fails tries again; what is kept too long goes with its own end.
    }
  }

  #keyOf(name: string): ItemKey {
    return { partition: this.#partition, sort: name }
  }
}

function checkName(name: string, seen: Set<string>): void {
  if (typeof name !== 'string' || name === '' || name.length > 256) {
    throw new StepLimitError(
      `a step's name must be a string of 1 to 256 characters, received ${JSON.stringify(name)}`,
    )
  }
  if (seen.has(name))
    throw new StepLimitError(
      `the name "${name}" was used twice for one event. Give each step a name of its own.`,
    )
  if (seen.size >= MAX_STEPS) throw new StepLimitError(`more than ${MAX_STEPS} steps for one event`)
  seen.add(name)
}

function parse<T>(stored: StoredStep): T {
  return (JSON.parse(stored.result) as { value: T }).value
}
