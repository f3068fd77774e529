import { findProblems } from './find-problems.ts'
import { SchedulerError } from './scheduler-error.ts'
import { schedulerModel } from './scheduler-model.ts'
import type { OperationModel } from './service-model.ts'

export interface SchedulerRequest {
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
}

/**
 * An operation and its input, from the REST protocol: the path's label, the query and the body together, checked against the
 * model.
 *
 * @throws SchedulerError ValidationException, which names what is wrong; ResourceNotFoundException for another address
 */
export function readRequest(method: string, target: string, body: string): SchedulerRequest {
  const { pathname, searchParams } = new URL(target, 'http://localhost')
  const found = Object.entries(schedulerModel.operations).find(
    ([, operation]) => operation.method === method && labelsOf(operation, pathname) !== undefined,
  )
  if (found === undefined)
    throw new SchedulerError(
      'ResourceNotFoundException',
      `${method} ${pathname} is no operation of the service`,
    )
  const [operation, model] = found
  const input = {
    ...bodyOf(body),
    ...queryOf(model, searchParams),
    ...labelsOf(model, pathname),
  }
  const problems = findProblems(schedulerModel, model.input, input)
  if (problems.length > 0)
    throw new SchedulerError(
      'ValidationException',
      `${problems.length} validation error${problems.length > 1 ? 's' : ''} detected: ${problems.join('; ')}`,
    )
  return { operation, input }
}

/** `/schedules/{Name}`: the path's one label. Undefined: another path. */
function labelsOf({ uri }: OperationModel, pathname: string): Readonly<Record<string, string>> | undefined {
  const [start = '', label] = uri.split(/[{}]/)
  if (label === undefined) return pathname === uri ? {} : undefined
  if (!pathname.startsWith(start) || pathname.slice(start.length).includes('/')) return undefined
  const value = pathname.slice(start.length)
  return value === '' ? undefined : { [label]: decodeURIComponent(value) }
}

function queryOf({ input }: OperationModel, query: URLSearchParams): Readonly<Record<string, unknown>> {
  const shape = schedulerModel.shapes[input]
  const members = shape?.type === 'structure' ? Object.entries(shape.members) : []
  return Object.fromEntries(
    members.flatMap(([name, { shape: target, location, locationName = name }]) => {
      const text = location === 'querystring' ? query.get(locationName) : null
      if (text === null) return []
      return [[name, schedulerModel.shapes[target]?.type === 'integer' ? Number(text) : text]]
    }),
  )
}

function bodyOf(body: string): Readonly<Record<string, unknown>> {
  if (body === '') return {}
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>
  } catch {}
  throw new SchedulerError('ValidationException', 'The body is no JSON object.')
}
