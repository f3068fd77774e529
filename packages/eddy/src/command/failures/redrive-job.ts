import type { RedriveJob } from '@eddy/core'
import { wait } from '../../client/backoff.ts'
import type { CommandContext } from '../command-context.ts'
import { InterruptedError } from '../command-errors.ts'
import { EXIT } from '../exit-code.ts'
import { printable } from '../format/printable.ts'
import { bar, createProgress } from '../format/progress.ts'
import { count, plural } from '../format/quantity.ts'
import { table } from '../format/table.ts'
import { relativeTime } from '../format/time.ts'

const FIRST_POLL_MS = 100
const MAX_POLL_MS = 1_000

/**
 * Shows a job's progress until it ends. The job belongs to the server: leaving does not stop it.
 * @throws InterruptedError after saying how to come back
 */
export async function followRedrive(context: CommandContext, started: RedriveJob): Promise<void> {
  const { client, io } = context
  const progress = createProgress(io)
  let job = started
  try {
    for (let pollMs = FIRST_POLL_MS; isRunning(job); pollMs = Math.min(MAX_POLL_MS, pollMs * 2)) {
      const shown = job
      progress.update(() => jobLine(shown))
      await wait(pollMs, io.signal)
      job = await client.showRedrive(job.id)
    }
  } catch (error) {
    progress.clear()
    await context.note(
      `Redrive ${job.id} goes on in the server. Come back: eddy failures redrive --job ${job.id}. Stop it: eddy failures redrive --cancel ${job.id}`,
    )
    if (io.signal.aborted) throw new InterruptedError()
    throw error
  }
  progress.clear()
  await printJob(context, job)
  if (job.state !== 'done') context.exitWith(EXIT.failed)
  else if (job.skipped > 0) context.exitWith(EXIT.partial)
}

export async function printJob(context: CommandContext, job: RedriveJob): Promise<void> {
  if (context.json) return await context.printJson(job)
  await context.print(jobText(job))
}

export async function printJobs(context: CommandContext, jobs: readonly RedriveJob[]): Promise<void> {
  if (context.json) return await context.printJson(jobs)
  if (jobs.length === 0) return await context.note('There is no redrive.')
  const nowMs = Date.now()
  await context.print(
    table(
      jobs,
      [
        { title: 'JOB', value: ({ id }) => id },
        { title: 'STATE', value: ({ state }) => state },
        { title: 'TOTAL', align: 'right', value: ({ total }) => count(total) },
        { title: 'SENT', align: 'right', value: ({ enqueued }) => count(enqueued) },
        { title: 'SKIPPED', align: 'right', value: ({ skipped }) => count(skipped) },
        { title: 'RATE', align: 'right', value: ({ ratePerSecond }) => `${ratePerSecond}/s` },
        { title: 'STARTED', value: ({ createdAtMs }) => relativeTime(createdAtMs, nowMs) },
        { title: 'BY', value: ({ by }) => by },
      ],
      context.paint,
    ),
  )
}

function jobText({ id, state, total, enqueued, skipped, reason }: RedriveJob): string {
  const parts = [`${count(enqueued)} of ${plural(total, 'event')} sent to be handled again`]
  if (skipped > 0) parts.push(`${count(skipped)} skipped`)
  if (reason !== undefined) parts.push(printable(reason))
  return `redrive ${id} ${state}: ${parts.join(', ')}`
}

function jobLine({ state, total, enqueued, skipped, ratePerSecond }: RedriveJob): string {
  if (state === 'preparing') return 'writing down the set of events'
  return `${bar(enqueued + skipped, total)}  ${count(enqueued)} of ${count(total)} sent, ${count(skipped)} skipped, ${ratePerSecond}/s`
}

function isRunning({ state }: RedriveJob): boolean {
  return state === 'preparing' || state === 'running'
}
