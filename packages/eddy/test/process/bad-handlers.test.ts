import { describe, expect, it } from 'vitest'
import { until } from '../command/support/real-server.ts'
import { numbered, Workplace } from './support/workplace.ts'

const RETRY = `retry: fixed({ delayMs: 20, maxAttempts: 2, jitter: 'none' })`

/** Five subscriptions whose handlers misbehave at n = 3, and one that does not. */
const APP = `
import { appendFileSync } from 'node:fs'
import { defineApp, fixed, stream, subscribe } from 'eddy'
interface Data { readonly key: string; readonly n: number }
const s = stream<Data>('s', { shards: 2 })
const record = (name: string, n: number) => appendFileSync(name, n + '\\n')
const failure = { ${RETRY} }
const sub = (name: string, misbehave: () => unknown) =>
  subscribe(name, s, {
    failure,
    timeoutMs: 100,
    handle: ({ data }) => {
      if (data.n === 3) return misbehave()
      record(name, data.n)
    },
  })
export default defineApp({
  subscriptions: [
    sub('never', () => new Promise(() => {})),
    sub('text', () => { throw 'just text' }),
    sub('nothing', () => { throw undefined }),
    sub('rejects', () => Promise.reject({ reason: 42 })),
    sub('circular', () => { const o: Record<string, unknown> = {}; o.o = o; throw o }),
    sub('fine', () => record('fine', 3)),
  ],
})
`

describe('handlers that misbehave', () => {
  it('delay nobody else; each bad event ends as dead with a readable error (I4, I9)', async () => {
    const place = await Workplace.open(APP)
    await place.start()
    const put = await place.command(['put', 's', '--key', 'key'], numbered(0, 20, 5))
    expect(put.exitCode, put.stderr).toBe(0)
    const bad = ['never', 'text', 'nothing', 'rejects', 'circular']
    await until(() => place.lines('fine').length === 20)
    for (const name of bad) await until(async () => (await place.subscription(name)).dead === 1)
    const errors = new Map<string, string>()
    for (const { item, payload } of await place.failures('?status=dead')) {
      expect(item).toMatchObject({ attempts: 2 })
      expect(payload?.content).toContain('"n":3')
      errors.set(item.subscription, `${item.lastError?.type}: ${item.lastError?.message}`)
    }
    expect(errors.get('never')).toMatch(/^HandlerTimeoutError: .*100 ms/)
    expect(errors.get('text')).toBe('NonError: just text')
    expect(errors.get('nothing')).toMatch(/^NonError: .*undefined/)
    expect(errors.get('rejects')).toMatch(/^NonError: .*42/)
    expect(errors.get('circular')).toMatch(/^NonError: /)
    for (const name of bad) expect(new Set(place.lines(name)).size).toBe(19)
    expect(await place.stop()).toBe(0)
  })

  it.each([
    ['throws', `setTimeout(() => { throw new Error('too late') }, 20)`],
    ['rejects', `setTimeout(() => { void Promise.reject(new Error('too late')) }, 20)`],
  ])(
    'a handler that %s after it answered ends the process with 1 and a log line that says where; nothing is lost',
    async (_, late) => {
      const place = await Workplace.open(`
import { appendFileSync, existsSync } from 'node:fs'
import { defineApp, stream, subscribe } from 'eddy'
const s = stream<{ key: string; n: number }>('s', { shards: 2 })
export default defineApp({ subscriptions: [subscribe('careless', s, { handle: ({ data }) => {
  appendFileSync('handled', data.n + '\\n')
  if (data.n === 30 && !existsSync('mended')) ${late}
} })] })`)
      await place.load(numbered(0, 60, 6))
      // Ends by itself, perhaps before it listens.
      const ended = await place.run([
        'start',
        'app.ts',
        '--data',
        'data',
        '--port',
        '0',
        '--log-level',
        'error',
      ])
      expect(ended.exitCode).toBe(1)
      const line = ended.stderr.split('\n').find((text) => text.includes('too late')) ?? ''
      expect(JSON.parse(line)).toMatchObject({ level: 'error', problem: 'too late' })
      expect(line).toContain('app.ts')
      expect(line).toContain('nothing is lost')
      await place.write('mended', '')
      await place.start()
      await until(async () => (await place.subscription('careless')).lagRecords === 0)
      expect(new Set(place.lines('handled')).size).toBe(60)
      expect(await place.failures()).toEqual([])
    },
  )
})
