export { Prng } from './clock/prng.ts'
export { type RunOutcome, VirtualClock, type VirtualClockOptions } from './clock/virtual-clock.ts'
export type { Duration } from './harness/duration.ts'
export type { CallOutcome, HandlerCall } from './harness/handler-calls.ts'
export { type Harness, type HarnessOptions, harness } from './harness/harness.ts'
export type { LogLine } from './harness/harness-logs.ts'
export {
  type CallFilter,
  type DelayOptions,
  type FailOptions,
  InjectedFailure,
} from './harness/interferences.ts'
export { NotSettledError } from './harness/not-settled-error.ts'
export type { CallTrace, PortCall, PortOp } from './sim/call-trace.ts'
export { drivenEngine } from './sim/driven-engine.ts'
export type { CrashCount, FaultCounts } from './sim/fault-dice.ts'
export {
  type CrashPlan,
  type FaultPlan,
  type FaultRates,
  type MsRange,
  quietFaults,
  roughFaults,
} from './sim/fault-plan.ts'
export type { SimEngine } from './sim/process/sim-engine.ts'
export type { PlacedRecord, SimStore } from './sim/sim-store.ts'
export { SimWorld, type SimWorldOptions } from './sim/sim-world.ts'
export type { StoredMessage } from './sim/store/queue-store.ts'
