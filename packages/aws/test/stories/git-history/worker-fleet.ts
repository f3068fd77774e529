import { type EddyProcess, startEddy } from '../../support/eddy-process.ts'
import type { Victim } from '../../support/kill-in-flight.ts'
import { activityFile, activityIn } from './activity.ts'
import { APP_FILE } from './history.ts'

/** Workers of the example, killed and replaced. */
export class WorkerFleet {
  readonly #directory: string
  readonly #env: Readonly<Record<string, string>>
  readonly #living = new Map<string, { readonly eddy: EddyProcess; readonly file: string }>()
  #started = 0

  /** @param env - resources, services and settings */
  constructor(directory: string, env: Readonly<Record<string, string>>) {
    this.#directory = directory
    this.#env = env
  }

  async start(): Promise<void> {
    const name = `worker-${this.#started}`
    this.#started += 1
    const file = activityFile(this.#directory, name)
    const options = ['--engine', 'aws', '--create', '--worker', name, '--log-level', 'info']
    const eddy = await startEddy([APP_FILE, ...options], { ...this.#env, EDDY_ACTIVITY_FILE: file })
    this.#living.set(name, { eddy, file })
  }

  victims(): readonly Victim[] {
    return [...this.#living].map(([name, { eddy, file }]) => ({
      pid: eddy.pid,
      inFlight: () => activityIn(file).inFlight,
      kill: async () => {
        await eddy.kill()
        this.#living.delete(name)
      },
    }))
  }

  logs(): string {
    return [...this.#living]
      .map(([name, { eddy }]) => `--- ${name}\n${eddy.stderr().slice(-10_000)}`)
      .join('\n')
  }

  /** @returns exit statuses */
  stop(): Promise<readonly (number | null)[]> {
    return Promise.all([...this.#living.values()].map(({ eddy }) => eddy.stop()))
  }

  async abandon(): Promise<void> {
    await Promise.all([...this.#living.values()].map(({ eddy }) => eddy.kill()))
  }
}
