import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineApp, type FailureDetail, type SubscriptionStatus, stream } from '@eddy/core'
import { expect, onTestFinished } from 'vitest'
import { open } from '../../../src/open.ts'
import {
  eddy,
  type RealProcess,
  type StartedEddy,
  spawnEddy,
  startEddy,
} from '../../command/support/real-server.ts'
import { type CommandRun, runCommand } from '../../command/support/run-command.ts'

/** What `load` fills: the application of `appOf` takes it over. */
const STREAMS = defineApp({ streams: [stream('s', { shards: 2 })], subscriptions: [] })

/** A folder with an application file, and the processes started in it; both end with the test. */
export class Workplace {
  readonly cwd: string
  readonly #running: RealProcess[] = []
  #server: StartedEddy | undefined

  constructor(cwd: string) {
    this.cwd = cwd
  }

  static async open(app = ''): Promise<Workplace> {
    // Outside the repository, so that `eddy` resolves from the running installation.
    const place = new Workplace(await mkdtemp(join(tmpdir(), 'eddy-process-')))
    onTestFinished(async () => {
      await place.#killAll()
      await rm(place.cwd, { recursive: true, force: true })
    })
    await place.write('app.ts', app)
    return place
  }

  get server(): StartedEddy {
    if (this.#server === undefined) throw new Error('no server was started')
    return this.#server
  }

  path(name: string): string {
    return join(this.cwd, name)
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await writeFile(this.path(name), content)
  }

  /** Lines that handlers have appended to a file; none when it is not there. */
  lines(name: string): string[] {
    try {
      return readFileSync(this.path(name), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    } catch {
      return []
    }
  }

  /** `eddy start app.ts` on `data`; later commands go to it. */
  async start(...argv: string[]): Promise<StartedEddy> {
    return await this.startFile('app.ts', ...argv)
  }

  async startFile(file: string, ...argv: string[]): Promise<StartedEddy> {
    const options = argv.includes('--data') ? argv : ['--data', 'data', ...argv]
    this.#server = await startEddy([file, '--port', '0', ...options], this.cwd)
    this.#running.push(this.#server)
    return this.#server
  }

  /** Stores lines of `numbered` in the stream `s` of two shards, from this process, while no subscription runs. */
  async load(lines: string): Promise<void> {
    const eddy = await open(STREAMS, { dataDir: this.path('data') })
    const events = lines.split('\n').filter((line) => line !== '')
    const outcomes = await eddy.append(
      's',
      events.map((line) => {
        const data = JSON.parse(line) as { readonly key: string }
        return { key: data.key, data }
      }),
    )
    await eddy.close()
    expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
  }

  spawn(...argv: string[]): RealProcess {
    const started = spawnEddy(argv, { cwd: this.cwd, url: this.server.url })
    this.#running.push(started)
    return started
  }

  /** A process of its own, to its end: for what ends, is refused, or works on files. */
  async run(argv: readonly string[], stdin = ''): Promise<CommandRun> {
    const url = this.#server?.url
    return await eddy(argv, { cwd: this.cwd, stdin, ...(url !== undefined && { url }) })
  }

  /** The same command line in this process, sent to the server's process. Files are named by `path`. */
  async command(argv: readonly string[], stdin = ''): Promise<CommandRun> {
    return await runCommand(argv, { url: this.server.url, stdin })
  }

  async json<T>(...argv: string[]): Promise<T> {
    const { exitCode, stdout, stderr } = await this.command([...argv, '--json'])
    expect(exitCode, stderr).toBe(0)
    return JSON.parse(stdout) as T
  }

  async subscription(name: string): Promise<SubscriptionStatus> {
    const response = await fetch(`${this.server.url}/v1/subscriptions/${name}`)
    return (await response.json()) as SubscriptionStatus
  }

  async failures(query = ''): Promise<FailureDetail[]> {
    const response = await fetch(`${this.server.url}/v1/failures/export${query}`)
    const text = await response.text()
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as FailureDetail)
  }

  async kill(): Promise<void> {
    this.server.child.kill('SIGKILL')
    await this.server.exited
  }

  /** SIGTERM, and the exit code. */
  async stop(): Promise<number> {
    this.server.child.kill('SIGTERM')
    return await this.server.exited
  }

  async #killAll(): Promise<void> {
    for (const { child, exited } of this.#running.splice(0)) {
      child.kill('SIGKILL')
      await exited
    }
  }
}

/** `{"key":"k<n % keys>","n":n}` a line. */
export function numbered(from: number, to: number, keys: number): string {
  let text = ''
  for (let n = from; n < to; n += 1) text += `{"key":"k${n % keys}","n":${n}}\n`
  return text
}

/** An application of one stream `s` and a subscription `sub`; `record(line)` appends to the file `handled`. */
export function appOf(options: {
  readonly handle: string
  readonly failure?: string
  readonly more?: string
}): string {
  const { handle, failure = '{}', more = '' } = options
  return `
import { appendFileSync, existsSync } from 'node:fs'
import { defineApp, fixed, stream, subscribe } from 'eddy'
interface Data { readonly key: string; readonly n: number }
const record = (line: unknown) => appendFileSync('handled', line + '\\n')
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const s = stream<Data>('s', { shards: 2 })
export default defineApp({ subscriptions: [subscribe('sub', s, { failure: ${failure}, ${more} handle: ${handle} })] })
`
}
