import { type Visit, welcome } from './welcome.ts'

const DELAYS_MINUTES = [10, 60, 24 * 60]

interface Task {
  readonly visit: Visit
  readonly attempt: number
}

/** Called with new tasks, and by the schedules that it makes. `createSchedule` is CreateSchedule with `at(…)`. */
export async function handler(
  task: Task,
  createSchedule: (atMs: number, input: string) => Promise<void>,
): Promise<void> {
  try {
    await welcome(task.visit)
  } catch (error) {
    const minutes = DELAYS_MINUTES[task.attempt - 1]
    if (minutes === undefined) throw error
    const input = JSON.stringify({ ...task, attempt: task.attempt + 1 })
    await createSchedule(Date.now() + minutes * 60_000, input)
  }
}
