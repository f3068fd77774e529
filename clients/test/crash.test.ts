import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientEnv } from './support/client-env.ts'
import { runToSuccess } from './support/run-program.ts'
import { type Endpoint, startEndpoint } from './support/start-endpoint.ts'

const PROGRAM = fileURLToPath(new URL('../tours/crash.mjs', import.meta.url))
const CRASHES = 4
const BETWEEN_MS = 1_500

interface Written {
  /** Acknowledged. */
  readonly put: readonly string[]
  readonly sent: readonly string[]
  /** To be deleted; whether it was is not known of all. */
  readonly asked: readonly string[]
  readonly deleted: readonly string[]
  readonly failures: number
}
interface Left {
  readonly records: readonly string[]
  readonly messages: readonly string[]
}

describe('The endpoint under kill -9', () => {
  let endpoint: Endpoint
  beforeAll(async () => {
    endpoint = await startEndpoint('--aws-instant')
  })
  afterAll(async () => await endpoint?.stop())

  it('loses nothing that it acknowledged, and brings back nothing that was deleted (I1)', async () => {
    await run('make')
    const { put, sent, asked, deleted, failures } = await writeOverCrashes()
    const { records, messages } = JSON.parse(await run('read')) as Left
    console.log(
      `${CRASHES} crashes, ${failures} failed requests. Acknowledged: ${put.length} records, ${sent.length} messages, ${deleted.length} deleted. Found: ${records.length} and ${messages.length}`,
    )
    expect(failures).toBeGreaterThan(0)
    expect(put.length).toBeGreaterThan(100)
    expect(deleted.length).toBeGreaterThan(10)

    const stored = new Set(records)
    expect(put.filter((one) => !stored.has(one))).toEqual([])
    const left = new Set([...messages, ...asked])
    expect(sent.filter((one) => !left.has(one))).toEqual([])
    const gone = new Set(deleted)
    expect(messages.filter((one) => gone.has(one))).toEqual([])
  })

  async function run(task: string): Promise<string> {
    return await runToSuccess(process.execPath, [PROGRAM, endpoint.url, task], clientEnv())
  }

  async function writeOverCrashes(): Promise<Written> {
    const child = spawn(process.execPath, [PROGRAM, endpoint.url, 'write'], {
      env: clientEnv(),
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: 120_000,
    })
    const closed = once(child, 'close')
    const printed = text(child.stdout)
    for (let crash = 0; crash < CRASHES; crash += 1) {
      await sleep(BETWEEN_MS)
      await endpoint.crash()
    }
    await sleep(BETWEEN_MS)
    child.stdin.end()
    expect(await closed).toEqual([0, null])
    return JSON.parse(await printed) as Written
  }
})
