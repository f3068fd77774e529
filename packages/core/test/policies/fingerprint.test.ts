import { describe, expect, test } from 'vitest'
import { errorInfo, fingerprint, HandlerTimeoutError } from '../../src/index.ts'
import { maskVolatile } from '../../src/policies/fingerprint.ts'

const APP = 'file:///srv/shop/dist/billing.js'

function stackOf(message: string, ...frames: string[]): string {
  return [`Error: ${message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n')
}

function chargeCard(card: string): Error {
  return new Error(`card ${card} was refused`)
}

describe('scenario 22: fingerprint', () => {
  test('failures of one function form one group, whatever their messages and lines', () => {
    expect(errorInfo(chargeCard('4711')).fingerprint).toBe(errorInfo(chargeCard('0815')).fingerprint)
    const before = fingerprint('Error', 'a', stackOf('a', `charge (${APP}:10:5)`))
    const after = fingerprint('Error', 'b', stackOf('b', `charge (${APP}:99:1)`))
    expect(after).toBe(before)
  })

  test('a type, a function or a file of its own makes a group of its own', () => {
    const all = [
      fingerprint('Error', 'a', stackOf('a', `charge (${APP}:1:1)`)),
      fingerprint('TypeError', 'a', stackOf('a', `charge (${APP}:1:1)`)),
      fingerprint('Error', 'a', stackOf('a', `refund (${APP}:1:1)`)),
      fingerprint('Error', 'a', stackOf('a', `charge (file:///srv/shop/dist/orders.js:1:1)`)),
    ]
    expect(new Set(all).size).toBe(4)
  })

  test("Node's, dependencies' and Eddy's frames are passed over", () => {
    const own = `charge (${APP}:1:1)`
    const eddy = new URL('../../src/handle/handler-runner.ts', import.meta.url).href
    const plain = fingerprint('Error', 'a', stackOf('a', own))
    const deep = stackOf(
      'a',
      'JSON.parse (<anonymous>)',
      'process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
      'Client.send (/srv/shop/node_modules/client/index.js:3:3)',
      `HandlerRunner.run (${eddy}:3:3)`,
      `async ${own}`,
    )
    expect(fingerprint('Error', 'a', deep)).toBe(plain)
  })

  test('the source and what was built from it, with or without a query, are the same place', () => {
    const places = [
      `${APP}:1:1`,
      '/srv/shop/src/billing.ts:7:7',
      'C:\\shop\\billing.mjs:1:2',
      `${APP}?v=123:1:1`,
    ]
    const prints = places.map((place) => fingerprint('Error', 'a', stackOf('a', `charge (${place})`)))
    expect(new Set(prints).size).toBe(1)
  })

  test('a message that looks like a frame is not taken for one', () => {
    const trap = 'no\n    at trap (/srv/trap.js:1:1)'
    expect(fingerprint('Error', trap, stackOf(trap, `charge (${APP}:1:1)`))).toBe(
      fingerprint('Error', 'a', stackOf('a', `charge (${APP}:1:1)`)),
    )
  })

  test("without an own frame the masked message decides, the causes' too", () => {
    const of = (message: string, causes = '') => fingerprint('Error', message, undefined, causes)
    expect(of('order 17 not found')).toBe(of('order 4711 not found'))
    expect(of('order 17 not found')).not.toBe(of('user 17 not found'))
    expect(of('fetch failed', ' ECONNREFUSED')).not.toBe(of('fetch failed', ' ENOTFOUND'))
    expect(errorInfo(new HandlerTimeoutError(5)).fingerprint).toBe(
      errorInfo(new HandlerTimeoutError(70)).fingerprint,
    )
  })

  test('reads as a type and a hash', () => {
    expect(fingerprint('Invalid Order/2', 'x', undefined)).toMatch(/^Invalid_Order_2-[0-9a-f]{8}$/)
    expect(fingerprint('', 'x', undefined)).toMatch(/^Error-[0-9a-f]{8}$/)
  })

  test.each([
    ['id 17, 3.5 and -2', 'id #, #.# and -#'],
    ['key 6f1b2c3d-0a0b-4c0d-8e0f-abcdefabcdef gone', 'key # gone'],
    ['at 0xDEADBEEF, commit 4fac546a91', 'at #, commit #'],
    ['user42 in eu-west-1', 'user# in eu-west-#'],
    ['the facade decade', 'the facade decade'],
  ])('masks %s', (message, masked) => {
    expect(maskVolatile(message)).toBe(masked)
  })

  test.each([
    ['digits', '1'.repeat(1_000_000)],
    ['hex', 'ab1'.repeat(333_333)],
    ['almost UUIDs', '6f1b2c3d-0a0b-4c0d-8e0f-'.repeat(41_666)],
    ['open brackets', ' ('.repeat(500_000)],
    ['frames', '    at f (/a/b:1:1'.repeat(55_000)],
    ['lines of frames', '\n    at'.repeat(140_000)],
    ['colons and digits', ':1'.repeat(500_000)],
  ])('1 MB of hostile %s, as message and as stack', (_name, text) => {
    expect(fingerprint('Error', text, undefined)).toMatch(/^Error-/)
    expect(fingerprint('Error', 'a', text)).toMatch(/^Error-/)
    expect(fingerprint('Error', text, `Error: ${text}\n    at ${text}`)).toMatch(/^Error-/)
  })
})
