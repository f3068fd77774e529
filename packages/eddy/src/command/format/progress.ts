import type { CommandIo } from '../command-io.ts'

const INTERVAL_MS = 200

/** One line on a terminal's stderr that is written over; silent where there is no terminal. */
export interface Progress {
  /** Cheap: draws at most five times a second. */
  update(render: () => string): void
  /** Removes the line. */
  clear(): void
}

export function createProgress({ stderr }: Pick<CommandIo, 'stderr'>, enabled = true): Progress {
  if (!enabled || stderr.isTTY !== true) return { update() {}, clear() {} }
  let drawnAtMs = Number.NEGATIVE_INFINITY
  let isDrawn = false
  return {
    update(render) {
      const nowMs = performance.now()
      if (nowMs - drawnAtMs < INTERVAL_MS) return
      drawnAtMs = nowMs
      isDrawn = true
      stderr.write(`\r\u001b[2K${render().slice(0, Math.max(20, (stderr.columns || 80) - 1))}`)
    },
    clear() {
      if (isDrawn) stderr.write('\r\u001b[2K')
      isDrawn = false
    },
  }
}

/** `[########--------]  50.0 %` */
export function bar(done: number, total: number, width = 24): string {
  const share = total <= 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(share * width)
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${(share * 100).toFixed(1).padStart(5)} %`
}
