import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A program of this package in a process of its own. Ended at the latest with this process. */
export class ScriptProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #end = (): void => {
    this.#child.kill('SIGKILL')
  }

  /** @param path - compiled file, relative to the package's `dist` */
  constructor(path: string, options: unknown) {
    const env = { ...process.env, EDDY_BENCHMARK_SCRIPT: JSON.stringify(options) }
    this.#child = fork(fileURLToPath(new URL(`../${path}`, import.meta.url)), [], { env, execArgv: [] })
    process.once('exit', this.#end)
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => {
        process.removeListener('exit', this.#end)
        resolve()
      })
    })
  }

  /** The next thing that it tells. @throws Error when it ends or the time is up before */
  async next<T>(timeoutMs: number): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`a process said nothing for ${timeoutMs} ms`)),
        timeoutMs,
      )
      this.#child.once('message', (message) => {
        clearTimeout(timer)
        resolve(message as T)
      })
      void this.#ended.then(() => {
        clearTimeout(timer)
        reject(new Error('a process ended before it was done'))
      })
    })
  }

  /** Resolves when it has ended by itself. */
  async ended(): Promise<void> {
    await this.#ended
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.#end()
    await this.#ended
  }
}

/** The script's side: what it was asked to do. */
export function scriptOptions<T>(): T {
  return JSON.parse(process.env.EDDY_BENCHMARK_SCRIPT ?? '{}') as T
}

/** The script's side: tells its parent. */
export async function tellParent(message: unknown): Promise<void> {
  await new Promise<void>((resolve) => {
    if (process.send === undefined) resolve()
    else process.send(message, undefined, {}, () => resolve())
  })
}
