import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  exponential,
  type FailureOptions,
  failurePolicy,
  fixed,
  InvalidOptionError,
} from '../../src/index.ts'

describe('failurePolicy', () => {
  test('fills in every default', () => {
    expect(failurePolicy()).toEqual({
      blocks: 'nothing',
      immediate: 0,
      retry: exponential(),
      rules: [],
      classify: undefined,
      exhausted: 'dead-letter',
      maxAgeMs: undefined,
      maxCrashes: 3,
    })
  })

  test("blocks 'key' makes the author state what becomes of an exhausted event", () => {
    const options = { blocks: 'key' } as const
    expectTypeOf(options).not.toExtend<FailureOptions>()
    expect(() => failurePolicy(options as never, 'subscribe("billing").failure')).toThrow(
      `subscribe("billing").failure.exhausted: expected a choice`,
    )
    for (const exhausted of ['dead-letter', 'dead-letter-key', 'hold', 'drop'] as const) {
      expect(failurePolicy({ blocks: 'key', exhausted }).exhausted).toBe(exhausted)
    }
  })

  test.each([
    ['failure', null],
    ['failure', 'key'],
    ['failure.block', { block: 'key' }],
    ['failure.blocks', { blocks: 'keys' }],
    ['failure.exhausted', { exhausted: 'dead-letter-key' }],
    ['failure.exhausted', { exhausted: 'hold' }],
    ['failure.exhausted', { blocks: 'shard', exhausted: 'dead-letter-key' }],
    ['failure.immediate', { immediate: -1 }],
    ['failure.immediate', { immediate: 101 }],
    ['failure.retry', { retry: 3 }],
    ['failure.retry.maxAttempts', { retry: { ...fixed(), maxAttempts: '3' } }],
    ['failure.retry.delayMs', { retry: { ...fixed(), delayMs: undefined } }],
    ['failure.classify', { classify: 'x' }],
    ['failure.maxAgeMs', { maxAgeMs: 0 }],
    ['failure.maxCrashes', { maxCrashes: 0 }],
    ['failure.rules', { rules: {} }],
    ['failure.rules[0]', { rules: [{ retry: fixed() }] }],
    ['failure.rules[0]', { rules: [{ error: 'X' }] }],
    ['failure.rules[0]', { rules: [JSON.parse('{"error":"X","then":"drop","retry":{}}')] }],
    [
      'failure.rules[1].then',
      { rules: [{ error: 'X', retry: fixed() }, JSON.parse('{"error":"X","then":"ignore"}')] },
    ],
    [
      'failure.rules[0].retry.maxAttempts',
      { rules: [{ error: 'X', retry: { ...fixed(), maxAttempts: 0 } }] },
    ],
  ])('names %s when it is wrong', (option, options) => {
    const make = () => failurePolicy(options as never)
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(expect.objectContaining({ details: expect.objectContaining({ option }) }))
  })

  test('is frozen data but for classify', () => {
    const policy = failurePolicy({ rules: [{ error: 'X', retry: fixed() }] })
    expect([policy, policy.rules, policy.rules[0], policy.retry].every(Object.isFrozen)).toBe(true)
    expect(failurePolicy(JSON.parse(JSON.stringify(policy)))).toEqual(policy)
  })
})
