import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const READY_MS = 30_000
const STOP_MS = 60_000

export interface EddyAddresses {
  /** Of HTTP /v1. */
  readonly url: string
  /** Of the AWS-compatible endpoint; with `--aws-port` alone. */
  readonly awsUrl?: string
}

/** `eddy start` as people start it, in a process of its own. Ended at the latest with this one. */
export class EddyServer {
  readonly addresses: EddyAddresses
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #end: () => void

  private constructor(child: ChildProcess, ended: Promise<void>, end: () => void, addresses: EddyAddresses) {
    this.#child = child
    this.#ended = ended
    this.#end = end
    this.addresses = addresses
  }

  /** @throws Error when it ends or is not ready in time */
  static async start(dataDir: string, options: readonly string[]): Promise<EddyServer> {
    const program = fileURLToPath(new URL('../bin/eddy.js', import.meta.resolve('eddy')))
    const args = [
      program,
      'start',
      '--data',
      dataDir,
      '--port',
      '0',
      '--json',
      '--log-level',
      'error',
      ...options,
    ]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const end = (): void => {
      child.kill('SIGKILL')
    }
    process.once('exit', end)
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => {
        process.removeListener('exit', end)
        resolve()
      })
    })
    const line = await Promise.race([firstLine(child), ended.then(() => undefined), timeOut()])
    if (line === undefined) {
      end()
      throw new Error('eddy start did not begin')
    }
    return new EddyServer(child, ended, end, JSON.parse(line) as EddyAddresses)
  }

  /** Ends it as a person does; what does not end is killed. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(this.#end, STOP_MS)
    await this.#ended
    clearTimeout(timer)
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    child.stdout?.on('data', (part: Buffer) => {
      text += part.toString('utf8')
      const end = text.indexOf('\n')
      if (end !== -1) resolve(text.slice(0, end))
    })
  })
}

function timeOut(): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), READY_MS).unref()
  })
}
