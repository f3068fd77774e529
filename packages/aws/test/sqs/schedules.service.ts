import {
  CreateScheduleGroupCommand,
  DeleteScheduleGroupCommand,
  GetScheduleCommand,
  GetScheduleGroupCommand,
  ListScheduleGroupsCommand,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler'
import { VirtualClock } from '@eddy/testing'
import { type SchedulerOptions, startScheduler } from '@eddy/testing/scheduler'
import { expect, onTestFinished, test } from 'vitest'
import { Schedules, schedulerClient } from '../../src/scheduler/index.ts'
import { TEST_ACCESS } from '../support/queue-world.ts'

const HOUR_MS = 3_600_000
const GROUP = 'shop'

async function open(more: Partial<SchedulerOptions> = {}, hasGroup = true) {
  const clock = new VirtualClock({ seed: 1, startMs: Date.UTC(2026, 10, 22, 23, 30, 30) })
  const scheduler = await startScheduler({ clock, invoke: async () => {}, ...more })
  const client = schedulerClient({ endpoint: scheduler.endpoint, ...TEST_ACCESS })
  onTestFinished(async () => {
    client.destroy()
    await scheduler.close()
  })
  if (hasGroup) await client.send(new CreateScheduleGroupCommand({ Name: GROUP }))
  const roleArn = 'arn:aws:iam::000000000000:role/scheduler'
  const deadLetterArn = 'arn:aws:sqs:us-east-1:000000000000:dead'
  const schedules = new Schedules({ client, clock, groupName: GROUP, roleArn, deadLetterArn })
  const message = (name: string, inMs: number) => ({
    ...{ name, dueAtMs: clock.now() + inMs, queueArn: 'arn:aws:sqs:us-east-1:000000000000:jobs', text: 'x' },
  })
  return { clock, scheduler, client, schedules, message }
}

test('a schedule is as the service documents it: UTC, a whole minute that is one to two before, deleted afterwards', async () => {
  const { client, schedules, message, clock } = await open()
  expect(await schedules.send({ ...message('q1-a', HOUR_MS), messageGroupId: 'g' })).toEqual({ ok: true })
  const shown = await client.send(new GetScheduleCommand({ Name: 'q1-a', GroupName: GROUP }))
  expect(shown).toMatchObject({
    ...{ ScheduleExpression: 'at(2026-11-23T00:29:00)', ScheduleExpressionTimezone: 'UTC' },
    ...{ FlexibleTimeWindow: { Mode: 'OFF' }, ActionAfterCompletion: 'DELETE', State: 'ENABLED' },
    Target: {
      RetryPolicy: { MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86_400 },
      DeadLetterConfig: { Arn: 'arn:aws:sqs:us-east-1:000000000000:dead' },
      SqsParameters: { MessageGroupId: 'g' },
    },
  })
  await clock.advance(HOUR_MS - 91_000)
  expect(await schedules.count('q1-')).toBe(1)
  // Its minute is over.
  await clock.advance(61_000)
  expect(await schedules.count('q1-')).toBe(0)
})

test('the same name is the same schedule; once it is taken back, another one', async () => {
  const { schedules, message, scheduler } = await open()
  const one = message('q1-a', HOUR_MS)
  expect(await schedules.send(one)).toEqual({ ok: true })
  expect(await schedules.send(one)).toEqual({ ok: true })
  // Of another minute: the service says that the name is taken, and it is there.
  expect(await schedules.send({ ...one, dueAtMs: one.dueAtMs + HOUR_MS })).toEqual({ ok: true })
  expect(scheduler.refusals.map((refusal) => refusal.split(':')[0])).toEqual([
    'ConflictException',
    'ConflictException',
  ])
  expect(await schedules.count('q1-')).toBe(1)
  expect(await schedules.cancel('q1-a')).toBe(1)
  expect(await schedules.send(one)).toEqual({ ok: true })
  expect(await schedules.count('q1-')).toBe(1)
})

test('pages of schedules are counted and cancelled by prefix', async () => {
  const { schedules, message, clock } = await open()
  for (let one = 0; one < 230; one += 1) await schedules.send(message(`q1-${one}`, HOUR_MS))
  await schedules.send(message('q2-a', HOUR_MS))
  expect(await schedules.count('q1-')).toBe(230)
  // Those that are made and taken back in this process are counted at once.
  await schedules.send(message('q1-more', HOUR_MS))
  expect(await schedules.count('q1-')).toBe(231)
  expect(await schedules.cancel('q1-more')).toBe(1)
  expect(await schedules.count('q1-')).toBe(230)
  expect(await schedules.cancel('q1-')).toBe(230)
  expect([await schedules.count('q1-'), await schedules.count('q2-')]).toEqual([0, 1])
  await clock.advance(HOUR_MS)
  expect(await schedules.count('q2-')).toBe(0)
})

test('all of a prefix are counted and cancelled, however short the pages are', async () => {
  const { client, schedules, message } = await open()
  for (let index = 0; index < 7; index += 1) await schedules.send(message(`q1-${index}`, HOUR_MS))
  client.middlewareStack.add(
    (next) => async (args) =>
      await next('MaxResults' in args.input ? { ...args, input: { ...args.input, MaxResults: 3 } } : args),
    { step: 'initialize' },
  )
  expect(await schedules.count('q1-')).toBe(7)
  expect(await schedules.cancel('q1-')).toBe(7)
  expect(await schedules.count('q1-')).toBe(0)
})

test('what the service refuses for now may be tried again, what it refuses for good not', async () => {
  const full = await open({ maxSchedules: 1 })
  expect(await full.schedules.send(full.message('a', HOUR_MS))).toEqual({ ok: true })
  expect(await full.schedules.send(full.message('b', HOUR_MS))).toMatchObject({ ok: false, retryable: true })
  const slow = await open({ createsPerSecond: 1 })
  await slow.schedules.send(slow.message('a', HOUR_MS))
  expect(await slow.schedules.send(slow.message('b', HOUR_MS))).toMatchObject({
    ...{ ok: false, retryable: true, message: 'EventBridge Scheduler: ThrottlingException: Rate exceeded' },
  })
  const nowhere = await open({}, false)
  expect(await nowhere.schedules.send(nowhere.message('a', HOUR_MS))).toMatchObject({
    ...{
      ok: false,
      retryable: false,
      message: expect.stringContaining('Schedule group shop does not exist'),
    },
  })
  await expect(nowhere.schedules.cancel('a')).rejects.toMatchObject({ code: 'EDDY_STORAGE' })
})

test('the SDK and the stand-in speak the same protocol: the operations that Eddy does not use', async () => {
  const { client, schedules, message } = await open()
  await schedules.send(message('a', HOUR_MS))
  const { Target: target, FlexibleTimeWindow: window } = await client.send(
    new GetScheduleCommand({ Name: 'a', GroupName: GROUP }),
  )
  const { ScheduleArn: arn } = await client.send(
    new UpdateScheduleCommand({
      ...{ Name: 'a', GroupName: GROUP, Target: target, FlexibleTimeWindow: window },
      ScheduleExpression: 'at(2027-01-01T00:00:00)',
    }),
  )
  expect(arn).toBe('arn:aws:scheduler:us-east-1:000000000000:schedule/shop/a')
  const { CreationDate: createdAt } = await client.send(new GetScheduleGroupCommand({ Name: GROUP }))
  expect(createdAt).toEqual(new Date(Date.UTC(2026, 10, 22, 23, 30, 30)))
  const { ScheduleGroups: groups } = await client.send(new ListScheduleGroupsCommand({}))
  expect(groups?.map(({ Name: name }) => name)).toEqual(['default', GROUP])
  await client.send(new DeleteScheduleGroupCommand({ Name: GROUP }))
  await expect(client.send(new GetScheduleCommand({ Name: 'a', GroupName: GROUP }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
})
