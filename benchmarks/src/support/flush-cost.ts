import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { median } from './statistics.ts'

const WRITES = 40
const BLOCK = Buffer.alloc(4_096, 'x')

/** Microseconds that a write of 4 KiB at a file's end and its fdatasync take, the median of 40. */
export async function flushCostUs(dir: string): Promise<number> {
  const path = join(dir, 'flush-cost')
  const file = await open(path, 'w')
  const costs: number[] = []
  for (let index = 0; index < WRITES; index += 1) {
    const startedMs = performance.now()
    await file.write(BLOCK)
    await file.datasync()
    costs.push((performance.now() - startedMs) * 1_000)
  }
  await file.close()
  await rm(path)
  return median(costs)
}
