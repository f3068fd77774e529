export { Prng } from './clock/prng.ts'
export { type RunOutcome, VirtualClock, type VirtualClockOptions } from './clock/virtual-clock.ts'
