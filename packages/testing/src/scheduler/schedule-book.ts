import type { Clock } from '@eddy/core'
import { type Schedule, type ScheduleInput, timeOf } from './schedule.ts'
import { SchedulerError } from './scheduler-error.ts'

export interface ScheduleBookOptions {
  readonly clock: Clock
  readonly region: string
  readonly accountId: string
  readonly maxSchedules: number
  readonly createsPerSecond: number
  /** Called when a schedule is there, anew or changed. */
  readonly onChange: (schedule: Schedule) => void
}

interface Group {
  readonly name: string
  readonly createdAtMs: number
  readonly schedules: Map<string, Schedule>
}

const DEFAULT_GROUP = 'default'
const MAX_PAGE = 100
/** Of one group. */
const MAX_TOKENS = 10_000

/** Schedules and their groups: every operation that says nothing of time. Names are unique in a group. */
export class ScheduleBook {
  readonly #options: ScheduleBookOptions
  readonly #groups = new Map<string, Group>()
  /** Idempotency tokens of creations, with what they created. */
  readonly #tokens = new Map<string, string>()
  #second = { atMs: Number.NEGATIVE_INFINITY, creates: 0 }

  constructor(options: ScheduleBookOptions) {
    this.#options = options
    this.createGroup({ Name: DEFAULT_GROUP })
  }

  /** As it is stored now: changed or deleted ones are others. */
  current({ groupName, input }: Schedule): Schedule | undefined {
    return this.#groups.get(groupName)?.schedules.get(input.Name)
  }

  create(input: ScheduleInput): object {
    const { clock, maxSchedules } = this.#options
    const group = this.#group(input.GroupName)
    const token = `${group.name}/${input.Name}/${input.ClientToken ?? ''}`
    const content = contentOf(input)
    // "ClientToken … to ensure the idempotency of the request."
    if (input.ClientToken !== undefined && this.#tokens.get(token) === content)
      return { ScheduleArn: this.#arnOf(group.name, input.Name) }
    this.#throttle()
    if (group.schedules.has(input.Name))
      throw new SchedulerError('ConflictException', `Schedule ${input.Name} already exists.`)
    if ([...this.#groups.values()].reduce((sum, { schedules }) => sum + schedules.size, 0) >= maxSchedules)
      throw new SchedulerError('ServiceQuotaExceededException', `The account has ${maxSchedules} schedules.`)
    const nowMs = clock.now()
    const schedule = this.#store(group, input, nowMs)
    if (this.#tokens.size >= MAX_TOKENS) this.#tokens.clear()
    this.#tokens.set(token, content)
    return { ScheduleArn: schedule.arn }
  }

  update(input: ScheduleInput): object {
    const group = this.#group(input.GroupName)
    const { createdAtMs } = this.#schedule(group, input.Name)
    return { ScheduleArn: this.#store(group, input, createdAtMs).arn }
  }

  get({ Name: name, GroupName: groupName }: Named): object {
    const schedule = this.#schedule(this.#group(groupName), name)
    const { input, arn, createdAtMs, modifiedAtMs } = schedule
    const { ClientToken: _token, ...shown } = input
    return {
      ...{ ActionAfterCompletion: 'NONE', State: 'ENABLED', ScheduleExpressionTimezone: 'UTC', ...shown },
      ...{ Arn: arn, GroupName: schedule.groupName },
      ...{ CreationDate: createdAtMs / 1_000, LastModificationDate: modifiedAtMs / 1_000 },
    }
  }

  delete({ Name: name, GroupName: groupName }: Named): object {
    const group = this.#group(groupName)
    this.#schedule(group, name)
    group.schedules.delete(name)
    for (const token of this.#tokens.keys())
      if (token.startsWith(`${group.name}/${name}/`)) this.#tokens.delete(token)
    return {}
  }

  list(request: ListRequest): object {
    const groups =
      request.GroupName === undefined ? [...this.#groups.values()] : [this.#group(request.GroupName)]
    const wanted = groups
      .flatMap(({ schedules }) => [...schedules.values()])
      .filter(({ input }) => input.Name.startsWith(request.NamePrefix ?? ''))
      .filter(({ input }) => request.State === undefined || (input.State ?? 'ENABLED') === request.State)
    const { page, next } = pageOf(wanted, ({ groupName, input }) => `${groupName}/${input.Name}`, request)
    return {
      Schedules: page.map(({ input, arn, groupName, createdAtMs, modifiedAtMs }) => ({
        ...{ Name: input.Name, Arn: arn, GroupName: groupName, State: input.State ?? 'ENABLED' },
        ...{ CreationDate: createdAtMs / 1_000, LastModificationDate: modifiedAtMs / 1_000 },
        Target: { Arn: input.Target.Arn },
      })),
      ...next,
    }
  }

  createGroup({ Name: name }: Named): object {
    if (this.#groups.has(name))
      throw new SchedulerError('ConflictException', `Schedule group ${name} already exists.`)
    this.#groups.set(name, { name, createdAtMs: this.#options.clock.now(), schedules: new Map() })
    return { ScheduleGroupArn: this.#groupArnOf(name) }
  }

  getGroup({ Name: name }: Named): object {
    return this.#shown(this.#group(name))
  }

  /** With its schedules; at once, where the service takes its time. */
  deleteGroup({ Name: name }: Named): object {
    if (name === DEFAULT_GROUP)
      throw new SchedulerError('ValidationException', 'The group default cannot be deleted.')
    this.#group(name)
    this.#groups.delete(name)
    return {}
  }

  listGroups(request: ListRequest): object {
    const wanted = [...this.#groups.values()].filter(({ name }) => name.startsWith(request.NamePrefix ?? ''))
    const { page, next } = pageOf(wanted, ({ name }) => name, request)
    return { ScheduleGroups: page.map((group) => this.#shown(group)), ...next }
  }

  /** It was invoked for the last time. */
  done(schedule: Schedule): void {
    const schedules = this.#groups.get(schedule.groupName)?.schedules
    if (this.current(schedule) !== schedule) return
    if (schedule.input.ActionAfterCompletion === 'DELETE') schedules?.delete(schedule.input.Name)
    else schedules?.set(schedule.input.Name, { ...schedule, isDone: true })
  }

  #store(group: Group, input: ScheduleInput, createdAtMs: number): Schedule {
    const nowMs = this.#options.clock.now()
    const schedule: Schedule = {
      ...{ input, groupName: group.name, arn: this.#arnOf(group.name, input.Name) },
      ...{ createdAtMs, modifiedAtMs: nowMs, atMs: timeOf(input, nowMs), isDone: false },
    }
    group.schedules.set(input.Name, schedule)
    this.#options.onChange(schedule)
    return schedule
  }

  #throttle(): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs - this.#second.atMs >= 1_000) this.#second = { atMs: nowMs, creates: 0 }
    if (this.#second.creates >= this.#options.createsPerSecond)
      throw new SchedulerError('ThrottlingException', 'Rate exceeded')
    this.#second.creates += 1
  }

  #group(name: string = DEFAULT_GROUP): Group {
    const group = this.#groups.get(name)
    if (group === undefined)
      throw new SchedulerError('ResourceNotFoundException', `Schedule group ${name} does not exist.`)
    return group
  }

  #schedule(group: Group, name: string): Schedule {
    const schedule = group.schedules.get(name)
    if (schedule === undefined)
      throw new SchedulerError('ResourceNotFoundException', `Schedule ${name} does not exist.`)
    return schedule
  }

  #shown({ name, createdAtMs }: Group): object {
    const at = createdAtMs / 1_000
    return {
      ...{ Arn: this.#groupArnOf(name), Name: name, State: 'ACTIVE' },
      ...{ CreationDate: at, LastModificationDate: at },
    }
  }

  #arnOf(group: string, name: string): string {
    const { region, accountId } = this.#options
    return `arn:aws:scheduler:${region}:${accountId}:schedule/${group}/${name}`
  }

  #groupArnOf(name: string): string {
    const { region, accountId } = this.#options
    return `arn:aws:scheduler:${region}:${accountId}:schedule-group/${name}`
  }
}

export interface Named {
  readonly Name: string
  readonly GroupName?: string
}

export interface ListRequest {
  readonly GroupName?: string
  readonly NamePrefix?: string
  readonly State?: string
  readonly MaxResults?: number
  readonly NextToken?: string
}

/** In the order of their names; the token is the last name of the page before. */
function pageOf<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  { MaxResults: most = MAX_PAGE, NextToken: token }: ListRequest,
): { readonly page: readonly T[]; readonly next: { readonly NextToken?: string } } {
  const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString()
  const sorted = [...items].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  const open = sorted.filter((item) => nameOf(item) > after)
  const page = open.slice(0, most)
  const last = page.at(-1)
  if (last === undefined || open.length <= most) return { page, next: {} }
  return { page, next: { NextToken: Buffer.from(nameOf(last)).toString('base64url') } }
}

function contentOf({ ClientToken: _token, ...content }: ScheduleInput): string {
  return JSON.stringify(content)
}
