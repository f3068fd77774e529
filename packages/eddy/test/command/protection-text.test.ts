import type { ProtectionStatus, SubscriptionStatus } from '@eddy/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeServer, fakeServer } from './support/fake-server.ts'
import { runCommand } from './support/run-command.ts'

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

function billing(protection: ProtectionStatus): SubscriptionStatus {
  return {
    name: 'billing',
    stream: 'orders',
    blocks: 'key',
    exhausted: 'hold',
    paused: false,
    concurrency: 16,
    inFlight: 0,
    protection,
    retrying: 3,
    held: 0,
    heldKeys: 0,
    dead: 0,
    lagRecords: 12,
    lagMs: 65_000,
    shards: [],
  }
}

async function shown(protection: ProtectionStatus, ...argv: string[]): Promise<string> {
  const status = billing(protection)
  server = await fakeServer(({ path }) => ({ json: path === '/v1/subscriptions' ? [status] : status }))
  const command = argv.length === 0 ? ['show', 'billing'] : argv
  return (await runCommand(['subscriptions', ...command], { url: server.url })).stdout
}

const reason = '97 of the last 100 failed: TypeError: fetch failed'

describe('eddy subscriptions, protected', () => {
  it('says why nothing flows, what happens next, and what to do', async () => {
    const nowMs = Date.now()
    const open: ProtectionStatus = {
      state: 'open',
      openSinceMs: nowMs - 180_500,
      probesAtMs: nowMs + 7_900,
      pauseMs: 8_000,
      reason,
      firstRefusedBy: 'breaker',
      retryRefusedBy: 'breaker',
      waitingRetries: 0,
      concurrency: 0,
    }
    const text = await shown(open)
    expect(text).toContain('billing  on stream orders, breaker open\n')
    expect(text).toMatch(/breaker open since \S+Z \(3 min ago\); probes at \S+Z \(in 7\.\d s\)/)
    expect(text).toContain(`why: ${reason}`)
    expect(text).toContain('nothing is started and no attempt is used up')
    expect(text).toContain('eddy subscriptions resume billing --reset-breaker')
    await server?.close()
    expect(await shown(open, 'list')).toMatch(/billing +orders +key +breaker open +12/)
  })

  it('says how the probing goes', async () => {
    const text = await shown({
      state: 'probing',
      openSinceMs: Date.now() - 5_000,
      pauseMs: 2_000,
      reason,
      outcomes: 12,
      failed: 1,
      waitingRetries: 2,
      concurrency: 1,
    })
    expect(text).toContain('of the probes so far 1 of 12 outcomes failed')
    expect(text).toContain('1 handler at a time; probes that fail make it pause for longer than 2 s')
  })

  it('says how far the ramp is, and what waits for what', async () => {
    const text = await shown({
      state: 'ramping',
      rampEndsAtMs: Date.now() + 20_500,
      pauseMs: 2_000,
      reason,
      outcomes: 40,
      failed: 0,
      retryRefusedBy: 'retry-budget',
      waitingRetries: 7,
      concurrency: 6,
      ratePerSecond: 166.7,
      retryRatePerSecond: 3.333,
      retryCredits: 0.4,
    })
    expect(text).toMatch(/full rate at \S+Z \(in 20\.\d s\); 0 of 40 outcomes failed since/)
    expect(text).toContain('6 of 16 handlers at a time for now')
    expect(text).toContain(
      'at most 167 handler calls/s, 3.33 retries/s, retries within their budget (0.4 paid for by first attempts)',
    )
    expect(text).toContain('7 retries wait for the retry budget')
  })

  it('says that first attempts wait for the rate', async () => {
    const text = await shown({
      state: 'closed',
      firstRefusedBy: 'rate',
      waitingRetries: 0,
      concurrency: 16,
      ratePerSecond: 5,
    })
    expect(text).toContain('running')
    expect(text).toContain('at most 5 handler calls/s\nfirst attempts wait for the rate')
    expect(text).not.toContain('breaker')
  })

  it('resume --reset-breaker asks for it', async () => {
    await shown(
      { state: 'closed', waitingRetries: 0, concurrency: 16 },
      'resume',
      'billing',
      '--reset-breaker',
      '--by',
      'ada',
    )
    expect(JSON.parse(server?.requests.at(-1)?.body ?? '')).toEqual({ by: 'ada', resetBreaker: true })
  })
})
