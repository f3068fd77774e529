import { describe, expect, it } from 'vitest'
import {
  answerTo,
  applyMapping,
  type Mapping,
  type MappingService,
  type ResourceEvent,
} from '../../src/mappings/patient-mapping.ts'

const MAPPING = { FunctionName: 'charge', EventSourceArn: 'arn:orders', BatchSize: 100 }

const event = (given: Partial<ResourceEvent> = {}): ResourceEvent => ({
  RequestType: 'Create',
  ResponseURL: 'http://127.0.0.1/',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'Mapping',
  ResourceProperties: { Mapping: JSON.stringify(MAPPING) },
  ...given,
})

const named = (name: string, message = 'no') => Object.assign(new Error(message), { name })

/** Lambda with mappings: what it refuses at first, and how long a change takes. */
class Service implements MappingService {
  readonly mappings = new Map<string, Mapping>()
  readonly calls: string[] = []
  refusals: Error[] = []
  looksUntilDone = 0
  #made = 0

  async find(functionName: string, sourceArn: string) {
    for (const [uuid, mapping] of this.mappings)
      if (mapping.FunctionName === functionName && mapping.EventSourceArn === sourceArn) return uuid
    return undefined
  }

  async create(mapping: Mapping) {
    this.#called('create')
    this.#made += 1
    this.mappings.set(`uuid-${this.#made}`, mapping)
    return `uuid-${this.#made}`
  }

  async update(uuid: string, mapping: Mapping) {
    this.#called('update')
    this.mappings.set(uuid, mapping)
  }

  async remove(uuid: string) {
    this.#called('remove')
    this.mappings.delete(uuid)
  }

  async state(uuid: string) {
    if (!this.mappings.has(uuid)) return undefined
    this.looksUntilDone -= 1
    return this.looksUntilDone >= 0 ? 'Creating' : 'Enabled'
  }

  #called(call: string) {
    this.calls.push(call)
    const refusal = this.refusals.shift()
    if (refusal !== undefined) throw refusal
  }
}

/** Time that passes only while something sleeps. */
function patience(totalMs = 900_000) {
  const waits: number[] = []
  let passedMs = 0
  return {
    waits,
    sleep: async (ms: number) => {
      waits.push(ms)
      passedMs += ms
    },
    random: () => 1,
    remainingMs: () => totalMs - passedMs,
  }
}

describe('A mapping that CloudFormation asks for', () => {
  it('is made, and waited for until no change of it is under way', async () => {
    const service = new Service()
    service.looksUntilDone = 3
    const time = patience()
    expect(await applyMapping(service, event(), time)).toBe('uuid-1')
    expect(service.mappings.get('uuid-1')).toEqual(MAPPING)
    expect(time.waits).toEqual([1_000, 2_000, 4_000])
  })

  it('is tried again with growing waits when a limit is used up', async () => {
    const service = new Service()
    service.refusals = Array.from({ length: 8 }, () => named('LimitExceededException'))
    const time = patience()
    expect(await applyMapping(service, event(), time)).toBe('uuid-1')
    expect(time.waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  it('fails with the last answer when time runs out, early enough to say so', async () => {
    const service = new Service()
    service.refusals = Array.from({ length: 1_000 }, () => named('LimitExceededException', 'five at a time'))
    const time = patience(100_000)
    await expect(applyMapping(service, event(), time)).rejects.toThrow(
      'out of time. The last answer: LimitExceededException: five at a time. Deploy again',
    )
    expect(time.remainingMs()).toBeGreaterThanOrEqual(15_000)
  })

  it('fails at once when it is wrong, but not while its role is not known everywhere', async () => {
    const wrong = new Service()
    wrong.refusals = [named('InvalidParameterValueException', 'BatchSize is too large')]
    await expect(applyMapping(wrong, event(), patience())).rejects.toThrow('BatchSize is too large')
    const early = new Service()
    early.refusals = [named('InvalidParameterValueException', 'The role cannot be assumed by Lambda')]
    expect(await applyMapping(early, event(), patience())).toBe('uuid-1')
  })

  it('is taken over when an answer was lost: there is never a second one', async () => {
    const service = new Service()
    const first = await applyMapping(service, event(), patience())
    expect(await applyMapping(service, event(), patience())).toBe(first)
    expect(service.calls).toEqual(['create', 'update'])
  })

  it('is changed in place, and made anew between other things', async () => {
    const service = new Service()
    const PhysicalResourceId = await applyMapping(service, event(), patience())
    const update = (mapping: Mapping) =>
      event({
        RequestType: 'Update',
        PhysicalResourceId,
        ResourceProperties: { Mapping: JSON.stringify(mapping) },
        OldResourceProperties: { Mapping: JSON.stringify(MAPPING) },
      })
    expect(await applyMapping(service, update({ ...MAPPING, BatchSize: 7 }), patience())).toBe(
      PhysicalResourceId,
    )
    expect(service.mappings.get(PhysicalResourceId)).toMatchObject({ BatchSize: 7 })
    const other = await applyMapping(
      service,
      update({ ...MAPPING, EventSourceArn: 'arn:clicks' }),
      patience(),
    )
    // CloudFormation removes the old one, since the id is another.
    expect(other).toBe('uuid-2')
  })

  it('is removed, also when it is gone already or was never made', async () => {
    const service = new Service()
    const PhysicalResourceId = await applyMapping(service, event(), patience())
    service.refusals = [named('ResourceInUseException')]
    const removal = event({ RequestType: 'Delete', PhysicalResourceId })
    expect(await applyMapping(service, removal, patience())).toBe(PhysicalResourceId)
    expect(service.mappings.size).toBe(0)
    await applyMapping(service, removal, patience())
    await applyMapping(service, event({ RequestType: 'Delete', PhysicalResourceId: 'none' }), patience())
    expect(service.calls).toEqual(['create', 'remove', 'remove'])
  })
})

describe('What CloudFormation is told', () => {
  it('names the mapping, or the error and an id that can be removed', () => {
    expect(answerTo(event(), { uuid: 'uuid-1' })).toEqual({
      Status: 'SUCCESS',
      PhysicalResourceId: 'uuid-1',
      StackId: 'stack',
      RequestId: 'request',
      LogicalResourceId: 'Mapping',
    })
    expect(answerTo(event(), { error: named('AccessDeniedException', 'not you') })).toMatchObject({
      Status: 'FAILED',
      Reason: 'AccessDeniedException: not you',
      PhysicalResourceId: 'none',
    })
  })
})
