export type { DeadLetter, Invocation } from './invoke-target.ts'
export type { SchedulerRequest } from './read-request.ts'
export { type RunningScheduler, type SchedulerOptions, startScheduler } from './start-scheduler.ts'
