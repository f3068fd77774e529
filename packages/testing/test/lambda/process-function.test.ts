import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { ProcessFunction, type ProcessFunctionOptions } from '../../src/lambda/index.ts'
import { realClock } from './support/real-clock.ts'

const FILE = fileURLToPath(new URL('./fixtures/function.mjs', import.meta.url))
const functions: ProcessFunction[] = []

function start(options: Partial<ProcessFunctionOptions> = {}): ProcessFunction {
  const started = new ProcessFunction({
    clock: realClock,
    file: FILE,
    name: 'worker',
    timeoutMs: 60_000,
    env: (number) => ({ NUMBER: String(number) }),
    ...options,
  })
  functions.push(started)
  return started
}

afterEach(async () => {
  await Promise.all(functions.splice(0).map((one) => one.close()))
})

/** One letter, as the system has it: T is stopped. */
function stateOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2)[0]
}

describe('A function in processes of its own', () => {
  it('keeps a process for later invocations, and starts another beside one that is busy', async () => {
    const fn = start({ reservedConcurrency: 2 })
    const first = await fn.invoke({ do: 'answer' })
    const again = await fn.invoke({ do: 'answer' })
    expect(first).toMatchObject({
      ok: true,
      payload: { invocations: 1, name: 'worker', number: '0', leftMs: expect.any(Number) },
    })
    // It inherits nothing of the process that plays the service.
    expect((first as { payload: object }).payload).not.toHaveProperty('inherited')
    expect(again).toMatchObject({ ok: true, payload: { invocations: 2, number: '0' } })
    const hanging = fn.invoke({ do: 'hang' })
    expect(await fn.invoke({ do: 'answer' })).toMatchObject({ ok: true, payload: { number: '1' } })
    expect(fn.processes.map(({ number, isBusy }) => [number, isBusy])).toEqual([
      [0, true],
      [1, false],
    ])
    // There is room for two.
    const second = fn.invoke({ do: 'hang' })
    expect(await fn.invoke({ do: 'answer' })).toMatchObject({ ok: false, kind: 'throttled' })
    const [busy, other] = fn.processes
    await other?.kill()
    expect(await second).toMatchObject({ ok: false, kind: 'exit' })
    await busy?.kill()
    expect(await hanging).toMatchObject({ ok: false, kind: 'exit', errorType: 'Runtime.ExitError' })
    expect(await fn.invoke({ do: 'throw' })).toMatchObject({
      ok: false,
      kind: 'error',
      errorType: 'RangeError',
      errorMessage: 'out of range',
    })
    expect(fn.started).toBe(3)
  })

  it.runIf(process.platform === 'linux')(
    'stops a process between invocations, as the service does',
    async () => {
      const fn = start()
      await fn.invoke({ do: 'answer' })
      const [{ pid } = { pid: 0 }] = fn.processes
      for (let look = 0; look < 500 && stateOf(pid) !== 'T'; look += 1) await realClock.sleep(10)
      expect(stateOf(pid)).toBe('T')
      expect(await fn.invoke({ do: 'answer' })).toMatchObject({ ok: true, payload: { pid } })
    },
  )

  it('tells of a process that ends itself, and kills one that was timed out', async () => {
    expect(await start().invoke({ do: 'exit' })).toMatchObject({
      ok: false,
      kind: 'exit',
      errorMessage: 'Runtime exited with error: exit status 3',
    })
    const slow = start({ timeoutMs: 300 })
    expect(await slow.invoke({ do: 'hang' })).toMatchObject({ ok: false, kind: 'timeout' })
    for (let look = 0; look < 500 && slow.processes.length > 0; look += 1) await realClock.sleep(10)
    expect(slow.processes).toEqual([])
  })

  it('runs handlers that call back, and says what a module lacks', async () => {
    expect(await start({ exportName: 'old' }).invoke({})).toMatchObject({ ok: true, payload: 'called back' })
    const said: string[] = []
    const missing = start({ exportName: 'nothing', onOutput: (chunk) => said.push(chunk) })
    expect(await missing.invoke({})).toMatchObject({ ok: false, kind: 'exit' })
    expect(said.join('')).toContain('exports no function nothing')
  })
})
