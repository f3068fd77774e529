import { parseFailureId } from '../fail/keys.ts'
import { type Ledger, type LedgerEntry, refOf } from '../fail/ledger.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import type { SubscriptionControl } from '../runtime/subscription-control.ts'
import { EditIntents, type EditPlan, type IntentEntry } from './edit-intent.ts'
import type { EditResult } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'

type Deps = Pick<OperationsDeps, 'engine' | 'subscriptions'>

/**
 * Carries a planned edit out. Every step may have been done before (E1).
 * @returns undefined when the original was changed by somebody else: the edit gave up, its new item is dropped
 */
export async function completeEdit(
  deps: Deps,
  intents: EditIntents,
  planned: IntentEntry<EditPlan>,
): Promise<EditResult | undefined> {
  const { intent } = planned
  const control = deps.subscriptions.get(intent.newItem.subscription)
  // The subscription left the application: the intent stays until it is back.
  if (control === undefined) return undefined
  const nowMs = deps.engine.clock.now()
  await createNew(control.ledger, intents, intent)
  const original = await resolveOriginal(control.ledger, intent, nowMs)
  const item = await settleNew(control, intent, original !== undefined, nowMs)
  await intents.remove(planned)
  return original === undefined || item === undefined ? undefined : { item, original }
}

/**
 * Finishes every edit that was interrupted, and gives back the locks of those that had not begun. Run at start, before
 * anybody can edit.
 * @returns the number of edits carried out
 */
export async function completeEdits(deps: Deps & Pick<OperationsDeps, 'logger'>): Promise<number> {
  const intents = new EditIntents(deps.engine)
  const inUse = new Set<string>()
  let completed = 0
  for await (const { intent, version } of intents.all()) {
    if (intent.state === 'locked') {
      await intents.remove({ intent, version })
      continue
    }
    if (await finish(deps, intents, { intent, version })) completed += 1
    else if (intent.payloadBlob !== undefined) inUse.add(intent.payloadBlob)
  }
  await intents.sweepPayloads(inUse)
  return completed
}

/** One edit that cannot be finished keeps no other from it, nor the process from starting. */
async function finish(
  deps: Deps & Pick<OperationsDeps, 'logger'>,
  intents: EditIntents,
  planned: IntentEntry<EditPlan>,
): Promise<boolean> {
  const about = { failure: planned.intent.originalId, by: planned.intent.by }
  try {
    const result = await completeEdit(deps, intents, planned)
    if (result === undefined) deps.logger.warn(about, 'an interrupted edit was not carried out')
    return result !== undefined
  } catch (error) {
    deps.logger.error({ ...about, reason: String(error) }, 'an interrupted edit could not be finished')
    return false
  }
}

async function createNew(ledger: Ledger, intents: EditIntents, plan: EditPlan): Promise<void> {
  const ref = refOf(plan.newItem)
  if ((await ledger.get(ref.laneId, ref.position)) !== undefined) return
  const payload = await intents.payloadOf(plan)
  if (payload !== undefined) await ledger.create(ref.laneId, plan.newItem, payload)
}

/** The commit of E2. Undefined: somebody else wrote the original first. */
async function resolveOriginal(
  ledger: Ledger,
  plan: EditPlan,
  nowMs: number,
): Promise<LedgerItem | undefined> {
  const ref = parseFailureId(plan.originalId)
  const entry = ref === undefined ? undefined : await ledger.get(ref.laneId, ref.position)
  if (entry === undefined) return undefined
  if (entry.item.editedBy === plan.newItem.id) return entry.item
  if (entry.version !== plan.originalVersion) return undefined
  const { parked: _parked, dueAtMs: _due, ...kept } = entry.item
  const written = await ledger.replace(entry, {
    ...kept,
    status: 'resolved',
    reason: 'edited',
    editedBy: plan.newItem.id,
    statusAtMs: nowMs,
    updatedAtMs: nowMs,
  })
  if (written.ok) return written.entry.item
  // The answer to our own write was lost and the write repeated, or another finisher was faster.
  const { current } = written
  return current?.item.editedBy === plan.newItem.id ? current.item : undefined
}

/** Lets the new item go, or drops it; then tells whoever waits for its lane. */
async function settleNew(
  control: SubscriptionControl,
  plan: EditPlan,
  committed: boolean,
  nowMs: number,
): Promise<LedgerItem | undefined> {
  const ref = refOf(plan.newItem)
  const entry = await control.ledger.get(ref.laneId, ref.position)
  if (entry === undefined) return undefined
  const settled = isUntouched(entry)
    ? await control.ledger.replace(
        entry,
        committed ? released(entry.item, plan, nowMs) : givenUp(entry.item, nowMs),
      )
    : { ok: true as const, entry }
  const item = settled.ok ? settled.entry.item : (settled.current?.item ?? entry.item)
  await control.nudge(item)
  return item
}

/** As it was created; an item that was parked again after an attempt has been written since. */
function isUntouched(entry: LedgerEntry): boolean {
  return entry.version === 1 && entry.item.parked === true
}

function released(item: LedgerItem, plan: EditPlan, nowMs: number): LedgerItem {
  const { parked: _parked, reason: _reason, ...kept } = item
  return {
    ...kept,
    status: 'retrying',
    dueAtMs: nowMs,
    statusAtMs: nowMs,
    updatedAtMs: nowMs,
    ...(plan.outOfOrder && { outOfOrder: true }),
  }
}

function givenUp(item: LedgerItem, nowMs: number): LedgerItem {
  const { parked: _parked, ...kept } = item
  const reason = 'the edit gave up: the original was changed meanwhile'
  return { ...kept, status: 'dropped', reason, statusAtMs: nowMs, updatedAtMs: nowMs }
}
