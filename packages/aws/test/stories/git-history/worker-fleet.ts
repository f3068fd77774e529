import { join } from 'node:path'
import { type EddyProcess, startEddy } from '../../support/eddy-process.ts'
import type { Victim } from '../../support/kill-in-flight.ts'
import { type Activity, activityIn } from './activity.ts'
import { APP_FILE } from './history.ts'

/** Workers of the example, killed and replaced. */
export class WorkerFleet {
  readonly #directory: string
  readonly #env: Readonly<Record<string, string>>
  readonly #living = new Map<string, { readonly eddy: EddyProcess; readonly activityFile: string }>()
  readonly #activityFiles: string[] = []

  /** @param env - resources, services and settings */
  constructor(directory: string, env: Readonly<Record<string, string>>) {
    this.#directory = directory
    this.#env = env
  }

  async start(): Promise<void> {
    const name = `worker-${this.#activityFiles.length}`
    const activityFile = join(this.#directory, `activity-${name}.json`)
    this.#activityFiles.push(activityFile)
    const options = ['--engine', 'aws', '--create', '--worker', name, '--lease', '3s', '--log-level', 'info']
    const eddy = await startEddy([APP_FILE, ...options], { ...this.#env, EDDY_ACTIVITY_FILE: activityFile })
    this.#living.set(name, { eddy, activityFile })
  }

  victims(): readonly Victim[] {
    return [...this.#living].map(([name, { eddy, activityFile }]) => ({
      pid: eddy.pid,
      inFlight: () => activityIn(activityFile).inFlight,
      kill: async () => {
        await eddy.kill()
        this.#living.delete(name)
      },
    }))
  }

  /** Over all that ever lived. */
  sum(what: keyof Activity): number {
    return this.#activityFiles.reduce((sum, file) => sum + activityIn(file)[what], 0)
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
