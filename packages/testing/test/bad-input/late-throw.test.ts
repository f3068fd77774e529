import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const FIXTURE = fileURLToPath(new URL('./fixtures/late-throw.mjs', import.meta.url))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** In a process of its own, since such an error belongs to nobody. Runs the built packages. */
function run(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [FIXTURE, ...args], { timeout: 20_000 }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1
      resolve({ code, stdout, stderr })
    })
  })
}

describe('a handler that throws after it responded', () => {
  test.each(['throw', 'reject'])(
    'is not swallowed: by default the process ends with it (%s, I9)',
    async (how) => {
      const ended = await run(how)
      expect(ended.code).toBe(1)
      expect(ended.stderr).toContain('thrown after the response')
    },
  )

  test.each(['throw', 'reject'])(
    'where the process survives it, nothing is corrupt (%s, I2, I9)',
    async (how) => {
      const ended = await run(how, 'survive')
      expect(ended.stderr).toBe('')
      expect(ended.code).toBe(0)
      expect(JSON.parse(ended.stdout)).toEqual({
        late: 3,
        order: ['a1', 'a2', 'a3'],
        calls: 3,
        failures: 0,
        lag: 0,
      })
    },
  )
})
