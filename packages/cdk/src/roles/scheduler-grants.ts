import { arn, type Grant, type Place } from './grant.ts'

/** One-time schedules of what is due in more than 15 minutes. Who makes one hands its role to EventBridge Scheduler. */
export function scheduleGrants(place: Place, group: string, schedulerRoleArn: string): readonly Grant[] {
  return [
    {
      service: 'scheduler',
      actions: ['CreateSchedule', 'DeleteSchedule', 'GetSchedule'],
      resources: [arn(place, 'scheduler', `schedule/${group}/*`)],
      wildcard: "the schedules of the application's one group: each is named by a hash of what it is for",
    },
    {
      service: 'scheduler',
      actions: ['ListSchedules'],
      resources: [arn(place, 'scheduler', 'schedule/*/*')],
      wildcard: 'the service asks for this right on the schedules of all groups, whichever group is listed',
    },
    {
      service: 'iam',
      actions: ['PassRole'],
      resources: [schedulerRoleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
    },
  ]
}
