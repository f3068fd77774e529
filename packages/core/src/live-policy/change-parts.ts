import { InvalidOptionError } from '../errors/request-errors.ts'
import { nearest } from '../model/option-checks.ts'
import {
  POLICY_PATHS,
  type PolicyChange,
  type PolicyParts,
  type PolicyPath,
  type PolicyValue,
} from '../model/policy-state.ts'
import { completeRetry, completeRules } from './complete-retry.ts'

const GROUPS: readonly string[] = ['failure', 'protect']
const MAX_CHANGES = 1_000

/** The parts that a person decides; the application file decides the others. */
export type Overrides = Partial<Record<PolicyPath, PolicyValue>>

/**
 * The override after a change. A path inside a part changes the part as it counts now.
 *
 * @throws InvalidOptionError for a path that is none. Values are checked by whoever makes a policy of them.
 */
export function changeParts(before: Overrides, file: PolicyParts, change: PolicyChange): Overrides {
  const next: Overrides = change.replace === undefined ? { ...before } : {}
  if (change.replace !== undefined) setAll(next, file, change.replace)
  for (const path of change.unset ?? []) for (const part of partsAt(path)) delete next[part]
  if (change.set !== undefined) setAll(next, file, change.set)
  return next
}

function setAll(next: Overrides, file: PolicyParts, values: Readonly<Record<string, unknown>>): void {
  const flat = Object.entries(values).flatMap(([path, value]) => flattened(path, value))
  if (flat.length > MAX_CHANGES)
    throw new InvalidOptionError('set', `at most ${MAX_CHANGES} paths`, flat.length)
  for (const [path, value] of flat) {
    const part = partOf(path)
    const inside = path.slice(part.length + 1)
    const own = next[part] === undefined ? file[part] : next[part]
    next[part] = completed(part, inside === '' ? plain(path, value) : withMember(path, own, inside, value))
  }
}

/** `{ failure: { blocks } }` is `failure.blocks`. */
function flattened(path: string, value: unknown): (readonly [string, unknown])[] {
  if (!GROUPS.includes(path)) return [[path, value]]
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidOptionError(path, 'an object of its parts', value)
  return Object.entries(value).map(([name, member]) => [`${path}.${name}`, member])
}

function partsAt(path: string): readonly PolicyPath[] {
  if (path === 'all') return POLICY_PATHS
  if (GROUPS.includes(path)) return POLICY_PATHS.filter((part) => part.startsWith(`${path}.`))
  const part = partOf(path)
  if (part !== path) throw new InvalidOptionError(path, `a whole part: ${part}`, path)
  return [part]
}

function partOf(path: string): PolicyPath {
  const part = POLICY_PATHS.find((candidate) => path === candidate || path.startsWith(`${candidate}.`))
  if (part !== undefined) return part
  if (path === 'failure.classify')
    throw new InvalidOptionError(path, 'plain data; classify is code and stays in the application file', path)
  const close = nearest(path, POLICY_PATHS)
  const hint = close === undefined ? `there are ${POLICY_PATHS.join(', ')}` : `did you mean "${close}"?`
  throw new InvalidOptionError(path, `a part of the policy (${hint})`, path)
}

/** The part with one member changed; `null` takes the member away, so that its default counts. */
function withMember(path: string, base: PolicyValue, inside: string, value: unknown): PolicyValue {
  const [name, ...deeper] = inside.split('.') as [string, ...string[]]
  const own = base ?? {}
  if (typeof own !== 'object' || Array.isArray(own) || deeper.length > 0)
    throw new InvalidOptionError(path, 'a path that ends at a member of an object', value)
  const { [name]: _before, ...rest } = own as Readonly<Record<string, PolicyValue>>
  return value === null ? rest : { ...rest, [name]: plain(path, value) }
}

function completed(part: PolicyPath, value: PolicyValue): PolicyValue {
  if (part === 'failure.retry') return completeRetry(value)
  return part === 'failure.rules' ? completeRules(value) : value
}

/** A copy of its own, that JSON can hold. */
function plain(path: string, value: unknown): PolicyValue {
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined) throw new InvalidOptionError(path, 'a value that JSON can hold', value)
  return JSON.parse(text) as PolicyValue
}
