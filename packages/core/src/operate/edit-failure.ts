import { EditConflictError, FailureStateError, OutOfOrderError } from '../errors/request-errors.ts'
import { failureId } from '../fail/keys.ts'
import { type LedgerEntry, refOf } from '../fail/ledger.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import { editedPosition } from '../model/position.ts'
import { randomUuid } from '../produce/uuid.ts'
import type { SubscriptionControl } from '../runtime/subscription-control.ts'
import { type Actor, actorOf } from './action.ts'
import { completeEdit } from './complete-edit.ts'
import {
  type EditIntent,
  EditIntents,
  type EditLock,
  type EditPlan,
  type IntentEntry,
} from './edit-intent.ts'
import { editedEvent, editedEventId } from './edited-event.ts'
import { requireFailure } from './failure-detail.ts'
import type { EditOptions, EditResult } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'

/** An intent older than this is of an edit that was interrupted: the next editor finishes it, or takes its lock. */
const STALE_INTENT_MS = 30_000
const MAX_EDITS = 9_999

type EditDeps = Pick<OperationsDeps, 'engine' | 'subscriptions' | 'streams'>

/**
 * Replaces a failure's event by an edited one, which takes its place in the order of its key.
 *
 * - E1 An intent item per failure is the lock; its plan is the commit point. A plan holds everything and is finished
 *   by its editor, by the next editor, or by `completeEdits` at the next start; every step may be repeated.
 * - E2 The new item is created parked, the original is resolved on the condition that nobody wrote it since it was
 *   seen, and only then is the new item let go: never are both versions handled, and the key never flows in between.
 *
 * @param payload - the whole envelope as UTF-8 JSON
 * @throws FailureNotFoundError, FailureStateError, EditConflictError, OutOfOrderError, UndecodableEventError,
 * InvalidEventError, SchemaMismatchError, RecordTooLargeError
 */
export async function editFailure(
  deps: EditDeps,
  id: string,
  payload: Uint8Array,
  options: EditOptions = {},
): Promise<EditResult> {
  const actor = actorOf(options)
  await requireFailure(deps, id)
  const intents = new EditIntents(deps.engine)
  const lock = await takeLock(deps, intents, id, actor)
  let planned: IntentEntry<EditPlan> | undefined
  try {
    const { control, entry } = await requireFailure(deps, id)
    await checkEditable(control, entry.item, options)
    const plan = await makePlan(deps, { intents, lock: lock.intent, control, entry, payload, options })
    planned = await intents.plan(lock, plan)
  } catch (error) {
    // A lock that cannot be given back now becomes stale, and the next editor takes it.
    await intents.remove(lock).catch(() => undefined)
    throw error
  }
  if (planned === undefined)
    throw new EditConflictError(id, 'it took too long, and somebody else edits it now')
  const result = await completeEdit(deps, intents, planned)
  if (result === undefined) {
    throw new EditConflictError(id, 'it changed while it was edited (it was redriven, dropped or archived)')
  }
  return result
}

async function takeLock(
  deps: EditDeps,
  intents: EditIntents,
  id: string,
  actor: Actor,
): Promise<IntentEntry<EditLock>> {
  const { clock } = deps.engine
  for (let tries = 0; tries < 2; tries += 1) {
    const lock: EditLock = {
      state: 'locked',
      editId: randomUuid(clock),
      originalId: id,
      atMs: clock.now(),
      ...actor,
    }
    const taken = await intents.lock(lock)
    if (taken.ok) return taken.entry
    const { current } = taken
    if (current === undefined) continue
    if (clock.now() - current.intent.atMs < STALE_INTENT_MS) throw conflictWith(current.intent)
    if (current.intent.state === 'planned') {
      await completeEdit(deps, intents, { intent: current.intent, version: current.version })
      throw conflictWith(current.intent)
    }
    await intents.remove(current)
  }
  throw new EditConflictError(id, 'somebody else edits it')
}

async function checkEditable(
  control: SubscriptionControl,
  item: LedgerItem,
  options: EditOptions,
): Promise<void> {
  if (item.editedBy !== undefined) {
    const edited = await control.ledger.getById(item.editedBy)
    const who = edited?.item.note ?? 'edited'
    throw new EditConflictError(
      item.id,
      `it was ${who} at ${iso(item.statusAtMs)}; the new item is ${item.editedBy}`,
    )
  }
  if (options.expectUpdatedAtMs !== undefined && options.expectUpdatedAtMs !== item.updatedAtMs) {
    throw new EditConflictError(
      item.id,
      `it changed at ${iso(item.updatedAtMs)}, after you looked, and is ${item.status} now`,
    )
  }
  const editable = item.status === 'dead' || item.status === 'archived' || item.parked === true
  if (!editable) throw new FailureStateError(item.id, item.status, 'edited')
}

async function makePlan(
  deps: EditDeps,
  edit: {
    readonly intents: EditIntents
    readonly lock: EditLock
    readonly control: SubscriptionControl
    readonly entry: LedgerEntry
    readonly payload: Uint8Array
    readonly options: EditOptions
  },
): Promise<EditPlan> {
  const { control, entry, lock, options } = edit
  const { definition } = control
  const schema = definition.schema ?? deps.streams.get(definition.stream)?.schema
  const event = await editedEvent(entry.item, edit.payload, schema)
  const outOfOrder = await control.wouldRunOutOfOrder(entry.item)
  if (outOfOrder && options.allowOutOfOrder !== true) throw new OutOfOrderError(1)
  const { number, position } = await freePosition(control, entry.item)
  const eventId = editedEventId(entry.item, event, number)
  const bytes =
    eventId === event.id ? edit.payload : new TextEncoder().encode(JSON.stringify({ ...event, id: eventId }))
  const kept = await edit.intents.keepPayload(lock.editId, bytes)
  const nowMs = deps.engine.clock.now()
  const { stream, shardId, sequenceNumber, subSequenceNumber, key, explicitHashKey, arrivedAtMs } = entry.item
  const newItem: LedgerItem = {
    id: failureId(control.ledger.subscription, refOf(entry.item).laneId, position),
    subscription: control.ledger.subscription,
    stream,
    shardId,
    sequenceNumber,
    ...(subSequenceNumber !== undefined && { subSequenceNumber }),
    position,
    key,
    ...(explicitHashKey !== undefined && { explicitHashKey }),
    eventId,
    eventType: event.type,
    arrivedAtMs,
    status: 'held',
    parked: true,
    reason: 'being edited',
    attempts: 0,
    deliveries: 0,
    history: [],
    firstFailedAtMs: nowMs,
    updatedAtMs: nowMs,
    statusAtMs: nowMs,
    payloadBytes: bytes.length,
    redrives: [],
    editOf: entry.item.id,
    note: `edited by ${lock.by}${lock.note === undefined ? '' : `: ${lock.note}`}`,
  }
  return { ...lock, state: 'planned', originalVersion: entry.version, newItem, outOfOrder, ...kept }
}

/** An earlier edit that gave up may have left an item: the first free number is the edit's. */
async function freePosition(
  control: SubscriptionControl,
  original: LedgerItem,
): Promise<{ readonly number: number; readonly position: string }> {
  const { laneId } = refOf(original)
  for (let number = 1; number <= MAX_EDITS; number += 1) {
    const position = editedPosition(original.position, number)
    if ((await control.ledger.get(laneId, position)) === undefined) return { number, position }
  }
  throw new FailureStateError(original.id, `edited ${MAX_EDITS} times`, 'edited again')
}

function conflictWith(intent: EditIntent): EditConflictError {
  return new EditConflictError(intent.originalId, `${intent.by} edits it since ${iso(intent.atMs)}`)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
