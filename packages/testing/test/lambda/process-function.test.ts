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
    const [busy] = fn.processes
    await busy?.kill()
    expect(await hanging).toMatchObject({ ok: false, kind: 'exit', errorType: 'Runtime.ExitError' })
    expect(await fn.invoke({ do: 'throw' })).toMatchObject({
      ok: false,
      kind: 'error',
      errorType: 'RangeError',
      errorMessage: 'out of range',
    })
    expect(fn.started).toBe(2)
  })

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
