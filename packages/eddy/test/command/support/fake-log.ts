import type { AppendOutcome } from '@eddy/core'
import type { FakeAnswer, FakeRequest } from './fake-server.ts'

export interface FakeLog {
  /** Values in the order in which they were stored. */
  readonly stored: unknown[]
  /** Takes one append request: stores each line once per producer and sequence. */
  append(request: FakeRequest): FakeAnswer
}

/** The append route over an array, with the deduplication that every engine promises. */
export function fakeLog(refuse: (value: unknown) => string | undefined = () => undefined): FakeLog {
  const stored: unknown[] = []
  const seen = new Set<string>()
  return {
    stored,
    append({ headers, body, query }) {
      const producer = String(headers['eddy-producer-id'])
      const first = Number(headers['eddy-first-sequence'])
      const results = body
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line, index): AppendOutcome => {
          const place = `${producer}/${first + index}`
          const value = parse(line)
          const problem =
            value === undefined ? 'not JSON' : (missingKey(value, query.get('key')) ?? refuse(value))
          if (problem === 'throttled')
            return { ok: false, code: 'throttled', retryable: true, message: problem }
          if (problem !== undefined) {
            return { ok: false, code: 'EDDY_INVALID_EVENT', retryable: false, message: problem }
          }
          const duplicate = seen.has(place)
          seen.add(place)
          if (!duplicate) stored.push(value)
          const sequenceNumber = String(stored.length)
          return { ok: true, id: place, shardId: 'shardId-000000000000', sequenceNumber, duplicate }
        })
      const failedCount = results.filter((result) => !result.ok).length
      return { json: { failedCount, results } }
    },
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function missingKey(value: unknown, field: string | null): string | undefined {
  if (field === null) return undefined
  return (value as Record<string, unknown>)[field] === undefined ? `no field "${field}"` : undefined
}
