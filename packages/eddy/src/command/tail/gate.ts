/** Lets at most a number of tasks run at a time; the others wait in order. */
export type Gate = <T>(task: () => Promise<T>) => Promise<T>

export function createGate(limit: number): Gate {
  let free = limit
  const waiting: (() => void)[] = []
  return async (task) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free -= 1
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}
