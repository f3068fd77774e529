import { join } from 'node:path'
import { EngineClosedError, StorageError } from '@eddy/core'
import { expect, onTestFinished, test } from 'vitest'
import { type ByteMap, type Environment, openEnvironment } from '../../src/store/environment.ts'
import { GroupCommitter } from '../../src/store/group-commit.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const LIMITS = {
  maxPendingBytes: 1_000,
  maxPendingOperations: 10,
  maxCommitBytes: 500,
  maxCommitOperations: 5,
}

async function setup(): Promise<{
  committer: GroupCommitter
  map: ByteMap
  failNext(times: number): void
  commits: () => number
}> {
  const folder = await temporaryFolder()
  const environment = openEnvironment({ path: join(folder, 'store'), readOnly: false, sync: 'fsync' })
  onTestFinished(() => environment.close())
  const map = environment.openMap('map')
  let failures = 0
  let commits = 0
  const failing: Environment = {
    ...environment,
    root: new Proxy(environment.root, {
      get: (root, name) => {
        if (name !== 'childTransaction') return Reflect.get(root, name)
        return (action: () => unknown) =>
          root.childTransaction(() => {
            action()
            commits++
            if (failures > 0) {
              failures--
              throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
            }
          })
      },
    }),
  }
  const committer = new GroupCommitter(failing, folder, LIMITS)
  return {
    committer,
    map,
    failNext: (times) => {
      failures = times
    },
    commits: () => commits,
  }
}

const key = (text: string): Buffer => Buffer.from(text)

test('G1, G2: operations that arrive while a commit runs share the next one', async () => {
  const { committer, map, commits } = await setup()
  const results = await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      committer.submit(1, (scope) => {
        scope.put(map, key(name), key(name))
        return name
      }),
    ),
  )
  expect(results).toEqual(['a', 'b', 'c'])
  expect(commits()).toBe(1)
  expect(map.getBinary(key('c'))?.toString()).toBe('c')
})

test('G3: an operation sees what those before it in the commit wrote', async () => {
  const { committer, map } = await setup()
  const counts = await Promise.all(
    Array.from({ length: 5 }, () =>
      committer.submit(1, (scope) => {
        const next = Number(map.getBinary(key('n'))?.toString() ?? 0) + 1
        scope.put(map, key('n'), key(String(next)))
        return next
      }),
    ),
  )
  expect(counts).toEqual([1, 2, 3, 4, 5])
})

test('G3: a refusal concerns its operation alone', async () => {
  const { committer, map } = await setup()
  const refused = committer.submit(1, () => {
    throw new Error('refused')
  })
  const stored = committer.submit(1, (scope) => scope.put(map, key('x'), key('1')))
  await expect(refused).rejects.toThrow('refused')
  await stored
  expect(map.getBinary(key('x'))).toBeDefined()
})

test('G4: a failed commit rejects all its operations, stores none and is undone in memory in reverse', async () => {
  const { committer, map, failNext } = await setup()
  const undone: string[] = []
  const settledEarly: string[] = []
  failNext(1)
  const results = await Promise.allSettled(
    ['a', 'b'].map((name) =>
      committer.submit(1, (scope) => {
        scope.onRolledBack(() => undone.push(name))
        scope.onCommitted(() => settledEarly.push(name))
        scope.put(map, key(name), key(name))
      }),
    ),
  )
  for (const result of results) {
    expect(result.status === 'rejected' && result.reason).toBeInstanceOf(StorageError)
  }
  expect(undone).toEqual(['b', 'a'])
  expect(settledEarly).toEqual([])
  expect(map.getBinary(key('a'))).toBeUndefined()
  await committer.submit(1, (scope) => scope.put(map, key('later'), key('1')))
  expect(map.getBinary(key('later'))).toBeDefined()
})

test('G4: an operation that throws after its first write takes the whole commit down', async () => {
  const { committer, map } = await setup()
  const half = committer.submit(1, (scope) => {
    scope.put(map, key('half'), key('1'))
    throw new Error('half way')
  })
  const other = committer.submit(1, (scope) => scope.put(map, key('other'), key('1')))
  await expect(half).rejects.toThrow('half way')
  await expect(other).rejects.toThrow('half way')
  expect(map.getBinary(key('half'))).toBeUndefined()
  expect(map.getBinary(key('other'))).toBeUndefined()
})

test('G5: what waits is bounded; callers beyond the bound wait and lose nothing', async () => {
  const { committer, map } = await setup()
  let highest = 0
  const all = Array.from({ length: 60 }, (_, i) =>
    committer.submit(100, (scope) => {
      highest = Math.max(highest, committer.pendingBytes)
      scope.put(map, key(`k${i}`), key('1'))
    }),
  )
  highest = Math.max(highest, committer.pendingBytes)
  await Promise.all(all)
  expect(highest).toBeLessThanOrEqual(LIMITS.maxPendingBytes)
  expect(map.getKeysCount()).toBe(60)
})

test('an operation larger than the bound is taken alone', async () => {
  const { committer, map } = await setup()
  await committer.submit(5_000, (scope) => scope.put(map, key('big'), key('1')))
  expect(map.getBinary(key('big'))).toBeDefined()
})

test('pauseWhile lets the running commit finish and holds the next ones back', async () => {
  const { committer, map } = await setup()
  const order: string[] = []
  const first = committer
    .submit(1, (scope) => scope.put(map, key('1'), key('1')))
    .then(() => order.push('first'))
  const pause = committer.pauseWhile(async () => {
    order.push('paused')
    const held = committer.submit(1, (scope) => scope.put(map, key('2'), key('2')))
    await new Promise((resolve) => setImmediate(resolve))
    expect(map.getBinary(key('2'))).toBeUndefined()
    order.push('resumed')
    return { held }
  })
  await (await pause).held
  await first
  expect(order).toEqual(['first', 'paused', 'resumed'])
})

test('close commits what was submitted and refuses more', async () => {
  const { committer, map } = await setup()
  const last = committer.submit(1, (scope) => scope.put(map, key('last'), key('1')))
  await committer.close()
  await last
  await expect(committer.submit(1, () => 0)).rejects.toBeInstanceOf(EngineClosedError)
})
