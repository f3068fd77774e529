import { afterEach, describe, expect, it } from 'vitest'
import { VirtualClock } from '../../src/index.ts'
import {
  type DeadLetter,
  type Invocation,
  type RunningScheduler,
  type SchedulerOptions,
  startScheduler,
} from '../../src/scheduler/index.ts'

const START_MS = Date.UTC(2026, 0, 1, 12, 0, 30)
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:jobs'
const ROLE = 'arn:aws:iam::000000000000:role/scheduler'
const running: RunningScheduler[] = []

afterEach(async () => {
  for (const one of running.splice(0)) await one.close()
})

type Body = Readonly<Record<string, unknown>>
interface Answer {
  readonly status: number
  readonly error: string | null
  readonly body: Readonly<Record<string, unknown>>
}

async function stand(more: Partial<SchedulerOptions> = {}) {
  const clock = new VirtualClock({ seed: 1, startMs: START_MS })
  const fired: (Invocation & { readonly atMs: number })[] = []
  const letters: DeadLetter[] = []
  const scheduler = await startScheduler({
    clock,
    invoke: async (invocation) => void fired.push({ ...invocation, atMs: clock.now() }),
    deadLetter: async (letter) => void letters.push(letter),
    ...more,
  })
  running.push(scheduler)
  const ask = async (method: string, path: string, body?: Body): Promise<Answer> => {
    const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) }
    const response = await fetch(`${scheduler.endpoint}${path}`, init)
    return {
      status: response.status,
      error: response.headers.get('x-amzn-errortype'),
      body: (await response.json()) as Answer['body'],
    }
  }
  const create = (name: string, more: Body = {}): Promise<Answer> =>
    ask('POST', `/schedules/${name}`, { ...schedule(), ...more })
  const names = async (query = ''): Promise<readonly unknown[]> =>
    ((await ask('GET', `/schedules${query}`)).body.Schedules as readonly Body[]).map(({ Name: name }) => name)
  return { clock, fired, letters, ask, create, names, scheduler }
}

function schedule(target: Body = {}): Body {
  return {
    ScheduleExpression: 'at(2026-01-01T12:05:00)',
    FlexibleTimeWindow: { Mode: 'OFF' },
    ActionAfterCompletion: 'DELETE',
    Target: { Arn: QUEUE, RoleArn: ROLE, Input: 'hello', ...target },
  }
}

describe('Scheduler stand-in: time', () => {
  it('a schedule is invoked once, within the minute from its time on, and deleted', async () => {
    const { clock, fired, create, names } = await stand()
    for (let one = 0; one < 20; one += 1) await create(`s${one}`)
    await clock.advance(Date.UTC(2026, 0, 1, 12, 5) - clock.now() - 1)
    expect(fired).toEqual([])
    expect((await names()).length).toBe(20)
    await clock.advance(60_000)
    expect(fired.length).toBe(20)
    expect(new Set(fired.map(({ atMs }) => atMs)).size).toBeGreaterThan(10)
    expect(fired[0]).toMatchObject({ arn: QUEUE, roleArn: ROLE, input: 'hello' })
    await clock.advance(3_600_000)
    expect(fired.length).toBe(20)
    expect(await names()).toEqual([])
  })

  it('without DELETE it stays; disabled, deleted or moved it is not invoked at its time', async () => {
    const { clock, fired, ask, create, names } = await stand({ latenessMs: () => 0 })
    await create('stays', { ActionAfterCompletion: 'NONE' })
    await create('disabled', { State: 'DISABLED' })
    await create('deleted')
    await create('moved', { Target: { Arn: QUEUE, RoleArn: ROLE, Input: 'moved' } })
    await ask('DELETE', '/schedules/deleted')
    const later = { ...schedule({ Input: 'moved' }), ScheduleExpression: 'at(2026-01-01T13:00:00)' }
    expect((await ask('PUT', '/schedules/moved', later)).status).toBe(200)
    await clock.advance(600_000)
    expect(fired.map(({ input }) => input)).toEqual(['hello'])
    await clock.advance(3_600_000)
    expect(fired.map(({ input }) => input)).toEqual(['hello', 'moved'])
    expect(await names()).toEqual(['disabled', 'stays'])
  })

  it('a flexible window is used, and values of the context are filled in', async () => {
    const input = '<aws.scheduler.scheduled-time> <aws.scheduler.attempt-number> <aws.scheduler.schedule-arn>'
    const { clock, fired, create } = await stand()
    for (let one = 0; one < 20; one += 1)
      await create(`s${one}`, {
        FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
        Target: { Arn: QUEUE, RoleArn: ROLE, Input: input },
      })
    await clock.advance(3_600_000)
    const lateMs = fired.map(({ atMs }) => atMs - Date.UTC(2026, 0, 1, 12, 5))
    expect(Math.max(...lateMs)).toBeGreaterThan(60_000)
    expect(Math.max(...lateMs)).toBeLessThan(15 * 60_000)
    expect(fired[0]?.input).toMatch(
      /^2026-01-01T12:05:00Z 1 arn:aws:scheduler:us-east-1:000000000000:schedule\/default\/s\d+$/,
    )
  })
})

describe('Scheduler stand-in: targets that fail', () => {
  it('are tried again, and take what comes once they work', async () => {
    let tries = 0
    const invoke = async (): Promise<void> => {
      tries += 1
      if (tries < 4) throw new Error('throttled')
    }
    const { clock, letters, create, names } = await stand({ invoke })
    await create('s', { Target: { Arn: QUEUE, RoleArn: ROLE, SqsParameters: { MessageGroupId: 'g' } } })
    await clock.advance(3_600_000)
    expect([tries, letters, await names()]).toEqual([4, [], []])
  })

  it('are given up by their retry policy; the dead-letter queue has the input and why', async () => {
    const invoke = (): Promise<void> => Promise.reject(new Error('no such queue'))
    const { clock, letters, create } = await stand({ invoke })
    const dead = { DeadLetterConfig: { Arn: `${QUEUE}-dead` } }
    const target = { Arn: QUEUE, RoleArn: ROLE, Input: 'x', ...dead }
    await create('few', { Target: { ...target, RetryPolicy: { MaximumRetryAttempts: 2 } } })
    await create('short', { Target: { ...target, RetryPolicy: { MaximumEventAgeInSeconds: 60 } } })
    await create('none', { Target: { ...target, RetryPolicy: { MaximumRetryAttempts: 0 } } })
    await create('nowhere', {
      Target: { Arn: QUEUE, RoleArn: ROLE, RetryPolicy: { MaximumRetryAttempts: 0 } },
    })
    await clock.advance(3_600_000)
    const told = letters.map(({ arn, body, attributes }) => {
      expect([arn, body, attributes.TARGET_ARN]).toEqual([`${QUEUE}-dead`, 'x', QUEUE])
      const { SCHEDULE_ARN: name = '', RETRY_ATTEMPTS: attempts, EXHAUSTED_RETRY_CONDITION: why } = attributes
      return [name.split('/').at(-1), attempts, why]
    })
    expect(told.sort()).toEqual([
      ['few', '2', 'MaximumRetryAttempts'],
      ['none', '0', 'MaximumRetryAttempts'],
      ['short', '5', 'MaximumEventAgeInSeconds'],
    ])
  })
})

describe('Scheduler stand-in: requests', () => {
  it('a name is taken once; a creation that is sent again with its token is answered like the first', async () => {
    const { ask, create } = await stand()
    const first = await create('s', { ClientToken: 'token-1' })
    expect(first).toMatchObject({ status: 200, body: { ScheduleArn: expect.stringContaining('/default/s') } })
    expect(await create('s', { ClientToken: 'token-1' })).toEqual(first)
    for (const more of [{}, { ClientToken: 'token-2' }, { ClientToken: 'token-1', Description: 'other' }])
      expect(await create('s', more)).toMatchObject({ status: 409, error: 'ConflictException' })
    await ask('DELETE', '/schedules/s')
    expect((await create('s', { ClientToken: 'token-1' })).status).toBe(200)
    expect((await ask('GET', '/schedules/s')).body).toMatchObject({
      Name: 's',
      GroupName: 'default',
      State: 'ENABLED',
    })
  })

  it('groups keep schedules apart and take them along', async () => {
    const { ask, create, names } = await stand()
    expect(await create('s', { GroupName: 'shop' })).toMatchObject({
      status: 404,
      error: 'ResourceNotFoundException',
    })
    expect((await ask('POST', '/schedule-groups/shop', {})).status).toBe(200)
    expect((await ask('POST', '/schedule-groups/shop', {})).error).toBe('ConflictException')
    await create('s', { GroupName: 'shop' })
    await create('s')
    expect(await names('?ScheduleGroup=shop')).toEqual(['s'])
    expect((await ask('GET', '/schedules/s?groupName=shop')).body).toMatchObject({ GroupName: 'shop' })
    expect((await ask('GET', '/schedule-groups/shop')).body).toMatchObject({ Name: 'shop', State: 'ACTIVE' })
    expect((await ask('GET', '/schedule-groups?NamePrefix=sh')).body.ScheduleGroups).toHaveLength(1)
    expect((await ask('DELETE', '/schedule-groups/shop')).status).toBe(200)
    expect((await ask('DELETE', '/schedule-groups/default')).error).toBe('ValidationException')
    expect((await ask('GET', '/schedules/s?groupName=shop')).error).toBe('ResourceNotFoundException')
    expect(await names()).toEqual(['s'])
  })

  it('lists come in pages, by prefix and state', async () => {
    const { ask, create, names } = await stand()
    for (const name of ['a1', 'a2', 'a3', 'b1'])
      await create(name, name === 'a3' ? { State: 'DISABLED' } : {})
    expect(await names('?NamePrefix=a&State=ENABLED')).toEqual(['a1', 'a2'])
    const { body } = await ask('GET', '/schedules?NamePrefix=a&MaxResults=2')
    expect((body.Schedules as readonly Body[]).map(({ Name: name }) => name)).toEqual(['a1', 'a2'])
    expect(await names(`?NamePrefix=a&MaxResults=2&NextToken=${String(body.NextToken)}`)).toEqual(['a3'])
  })

  it('what breaks the model is refused, with the member and the constraint', async () => {
    const { ask, create, fired, scheduler } = await stand()
    const { Target: _target, ...untargeted } = schedule()
    const cases: readonly (readonly [Body, RegExp])[] = [
      [untargeted, /'target' .*must not be null/],
      [{ ...schedule(), Target: { Arn: QUEUE } }, /'target.roleArn' .*must not be null/],
      [schedule({ RoleArn: 'nobody' }), /'target.roleArn' .*pattern/],
      [schedule({ Input: '' }), /'target.input' .*greater than or equal to 1/],
      [schedule({ Inputs: 'x' }), /'target.inputs' is no member/],
      [
        schedule({ RetryPolicy: { MaximumRetryAttempts: 186 } }),
        /maximumRetryAttempts' .*less than or equal to 185/,
      ],
      [schedule({ RetryPolicy: { MaximumRetryAttempts: '1' } }), /must be a integer/],
      [{ ...schedule(), ActionAfterCompletion: 'KEEP' }, /enum value set: \[NONE, DELETE\]/],
      [{ ...schedule(), FlexibleTimeWindow: { Mode: 'FLEXIBLE' } }, /MaximumWindowInMinutes/],
      [{ ...schedule(), ScheduleExpression: 'at(2026-02-31T00:00:00)' }, /Invalid Schedule Expression/],
      [{ ...schedule(), ScheduleExpression: 'at(2026-01-01T12:00:00)' }, /in the past/],
      [{ ...schedule(), ScheduleExpression: 'rate(1 minute)' }, /one-time schedules alone/],
      [{ ...schedule(), ScheduleExpressionTimezone: 'Europe/Berlin' }, /UTC alone/],
      [schedule({ Input: 'x'.repeat(262_145) }), /over 262144 bytes/],
      [schedule({ DeadLetterConfig: { Arn: `${QUEUE}.fifo` } }), /'target.deadLetterConfig.arn' .*pattern/],
    ]
    for (const [body, message] of cases) {
      const answer = await ask('POST', '/schedules/s', body)
      expect([answer.status, answer.error]).toEqual([400, 'ValidationException'])
      expect(answer.body.Message).toMatch(message)
    }
    expect((await create('x'.repeat(65))).body.Message).toMatch(/'name' .*less than or equal to 64/)
    expect((await ask('GET', '/schedules?MaxResults=101')).body.Message).toMatch(/'maxResults'/)
    expect((await ask('PATCH', '/schedules/s')).error).toBe('ResourceNotFoundException')
    expect([fired, scheduler.refusals.length]).toEqual([[], cases.length + 3])
  })

  it('quotas are those of the options', async () => {
    const { clock, create } = await stand({ maxSchedules: 3, createsPerSecond: 2 })
    await create('a')
    await create('b')
    expect(await create('c')).toMatchObject({ status: 429, error: 'ThrottlingException' })
    await clock.advance(1_000)
    expect((await create('c')).status).toBe(200)
    expect(await create('d')).toMatchObject({ status: 402, error: 'ServiceQuotaExceededException' })
  })
})
