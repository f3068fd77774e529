import { inject } from 'vitest'
import { clientEnv } from './client-env.ts'
import { type Ended, runProgram } from './run-program.ts'

/** Debian's `aws` against one endpoint. */
export class AwsCommand {
  readonly #url: string
  readonly #env: Readonly<Record<string, string>>

  /** @param env - in which it differs from that of other clients */
  constructor(url: string, env: Readonly<Record<string, string>> = {}) {
    this.#url = url
    this.#env = env
  }

  /** @returns the answer; undefined when it printed nothing. @throws when it did not end with status 0 */
  async run<T = unknown>(service: string, operation: string, ...args: readonly string[]): Promise<T> {
    const { status, stdout, stderr } = await this.#ended([service, operation, ...args])
    if (status !== 0) throw new Error(`aws ${service} ${operation} ended with ${status}: ${stderr}`)
    return (stdout.trim() === '' ? undefined : JSON.parse(stdout)) as T
  }

  /** @returns what it says of an error. @throws when there was none */
  async refused(service: string, operation: string, ...args: readonly string[]): Promise<string> {
    const { status, stderr, stdout } = await this.#ended([service, operation, ...args])
    if (status === 0) throw new Error(`aws ${service} ${operation} was not refused: ${stdout}`)
    return stderr.trim()
  }

  async #ended(args: readonly string[]): Promise<Ended> {
    const clients = debianClients()
    const all = [clients.aws, ...args, '--endpoint-url', this.#url, '--output', 'json']
    return await runProgram(clients.python, all, clientEnv({ PYTHONPATH: clients.pythonPath, ...this.#env }))
  }
}

/** @throws where Debian's packages cannot be had */
export function debianClients(): { python: string; aws: string; pythonPath: string } {
  const clients = inject('debianClients')
  if ('unavailable' in clients) throw new Error(clients.unavailable)
  return clients
}
