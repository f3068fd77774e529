export { type SchedulerClientOptions, schedulerClient } from './scheduler-client.ts'
export { Schedules, type SchedulesOptions } from './schedules.ts'
