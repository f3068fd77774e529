import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Eddy, type LedgerItem, type NewEvent, open } from 'eddy'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Done, makeApp, type Order, work } from './fixtures/work-app.ts'

const APP_FILE = new URL('./fixtures/work-app.ts', import.meta.url)

let dataDir: string
let eddy: Eddy | undefined
let seen: Done[]
let wake: () => void

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'eddy-threads-'))
  seen = []
  wake = () => {}
})

afterEach(async () => {
  await eddy?.close()
  eddy = undefined
  await rm(dataDir, { recursive: true, force: true })
})

async function start(options: { threads?: number; timeoutMs?: number } = {}): Promise<Eddy> {
  const app = makeApp({
    threads: 2,
    ...options,
    onDone: (done) => {
      seen.push(done)
      wake()
    },
  })
  eddy = await open(app, { dataDir, appFile: APP_FILE })
  return eddy
}

async function put(...events: readonly NewEvent<Order>[]): Promise<void> {
  const outcomes = await eddy?.append(work, events)
  expect(outcomes?.every(({ ok }) => ok)).toBe(true)
}

/** Resolves once `is` holds; looked at when something was handled, and every 20 ms for what tells nobody. */
async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await is())) {
    await new Promise<void>((resolve) => {
      wake = resolve
      setTimeout(resolve, 20)
    })
  }
}

async function deadLetters(count: number): Promise<readonly LedgerItem[]> {
  const list = async () => (await eddy?.operations.listFailures({ status: 'dead' }))?.items ?? []
  await until(async () => (await list()).length >= count)
  const items = await list()
  const details = await Promise.all(items.map(({ id }) => eddy?.operations.showFailure(id)))
  return details.flatMap((detail) => (detail === undefined ? [] : [detail.item]))
}

const event = (key: string, order: Order, id: string = key): NewEvent<Order> => ({ key, id, data: order })

describe('threads', () => {
  it('handle every event once, on threads of their own, the events of a key in order (I3)', async () => {
    await start({ threads: 3 })
    const events = Array.from({ length: 400 }, (_, index) =>
      event(`key-${index % 7}`, { do: 'work', ms: index % 5 === 0 ? 1 : 0 }, String(index)),
    )
    await put(...events)
    await until(() => seen.length === events.length)
    const threads = new Set(seen.map(({ threadId }) => threadId))
    expect(threads.size).toBe(3)
    expect(threads.has(0)).toBe(false)
    for (const key of new Set(seen.map((done) => done.key))) {
      const ids = seen.filter((done) => done.key === key).map(({ eventId }) => Number(eventId))
      expect(ids).toEqual([...ids].sort((a, b) => a - b))
    }
    expect(new Set(seen.map(({ eventId }) => eventId)).size).toBe(events.length)
  })

  it('keep the result of a finished step for the next attempt, on whatever thread', async () => {
    await start()
    await put(event('a', { do: 'step' }))
    await until(() => seen.length === 1)
    expect(seen[0]).toMatchObject({ attempt: 2, stepped: 'by attempt 1' })
  })

  it('bring errors over with type, code, cause and hint, and outcomes as what they are', async () => {
    await start({ threads: 1 })
    await put(
      event('type', { do: 'fail', with: 'type' }),
      event('text', { do: 'fail', with: 'text' }),
      event('dead', { do: 'fail', with: 'dead-letter' }),
      event('hint', { do: 'fail', with: 'hint' }),
    )
    const dead = await deadLetters(3)
    const of = (key: string) => dead.find((item) => item.key === key)
    expect(of('type')).toMatchObject({
      attempts: 2,
      lastError: { type: 'PaymentRefused', code: 'E_REFUSED' },
    })
    expect(of('type')?.lastError?.message).toBe('the card was refused (caused by RangeError: too much)')
    expect(of('type')?.lastError?.stack).toContain('work-app.ts')
    expect(of('text')?.lastError).toMatchObject({ type: 'NonError', message: 'just a text' })
    expect(of('dead')).toMatchObject({ attempts: 1, reason: 'nobody can do this' })
    const waiting = await eddy?.operations.listFailures({ status: 'retrying' })
    expect(waiting?.items).toMatchObject([{ key: 'hint', attempts: 1 }])
    expect((waiting?.items[0]?.dueAtMs ?? 0) - Date.now()).toBeGreaterThan(3_500_000)
  })

  it.each(['exit', 'throw-later'] as const)(
    'that die (%s) fail what they were running, and only that',
    async (how) => {
      await start()
      const others = Array.from({ length: 200 }, (_, index) => event(`other-${index}`, { do: 'compute' }))
      await put(...others.slice(0, 100), event('killer', { do: how }), ...others.slice(100))
      const [dead] = await deadLetters(1)
      expect(dead).toMatchObject({ key: 'killer', attempts: 2, lastError: { code: 'EDDY_HANDLER_THREAD' } })
      expect(dead?.lastError?.message).toContain(how === 'exit' ? 'exit code 7' : 'thrown by a timer')
      await until(async () => (await eddy?.operations.showSubscription('workers'))?.lagRecords === 0)
      expect((await eddy?.operations.listFailures({}))?.items.map(({ key }) => key)).toEqual(['killer'])
    },
  )

  it('that are stuck past the timeout are replaced; what waited behind goes to another one', async () => {
    await start({ timeoutMs: 300 })
    await put(event('stuck', { do: 'spin' }), event('aborted', { do: 'wait-for-abort' }))
    await until(async () => (await eddy?.operations.listFailures({ key: 'stuck' }))?.items.length === 1)
    await put(...Array.from({ length: 20 }, (_, index) => event(`later-${index}`, { do: 'work' })))
    await until(() => seen.length === 20)
    const dead = await deadLetters(2)
    expect(dead.map(({ key }) => key).sort()).toEqual(['aborted', 'stuck'])
    for (const { attempts, lastError } of dead)
      expect({ attempts, code: lastError?.code }).toEqual({ attempts: 1, code: 'EDDY_HANDLER_TIMEOUT' })
  })

  it('are given back at a stop what had not ended, and it is handled after the next start (I2)', async () => {
    await start({ threads: 1 })
    const events = Array.from({ length: 60 }, (_, index) => event(`key-${index}`, { do: 'work', ms: 10 }))
    await put(...events)
    await until(() => seen.length > 0)
    await eddy?.close({ timeoutMs: 0 })
    expect(new Set(seen.map(({ eventId }) => eventId)).size).toBeLessThan(events.length)
    await start({ threads: 1 })
    await until(() => new Set(seen.map(({ eventId }) => eventId)).size === events.length)
  })
})

describe('opening an application with threads', () => {
  const app = makeApp({ threads: 1, onDone: () => {} })

  it('asks for its file', async () => {
    await expect(open(app, { dataDir })).rejects.toThrow(/appFile.*subscription "workers" has threads/)
  })

  it('says what is wrong with a file that cannot be loaded in a thread, and leaves nothing open', async () => {
    const appFile = new URL('./fixtures/missing.ts', import.meta.url)
    await expect(open(app, { dataDir, appFile })).rejects.toThrow(/there is no such file/)
    await start({ threads: 1 })
  })

  it('refuses a file that opens the application itself', async () => {
    const appFile = new URL('./fixtures/opens-itself.ts', import.meta.url)
    await expect(open(app, { dataDir, appFile })).rejects.toThrow(/only defines the application/)
  })
})
