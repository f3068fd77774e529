/** Calls under way at one queue at a time (I6). */
const MAX_CALLS = 8

/** Makes the calls, some at a time; the results in order. @throws what the first of them throws, once none is under way */
export async function inParallel<I, R>(
  inputs: readonly I[],
  call: (input: I) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = new Array(inputs.length)
  const errors: unknown[] = []
  let next = 0
  const work = async (): Promise<void> => {
    while (next < inputs.length && errors.length === 0) {
      const index = next
      next += 1
      try {
        results[index] = await call(inputs[index] as I)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(MAX_CALLS, inputs.length) }, work))
  if (errors.length > 0) throw errors[0]
  return results
}

export function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
