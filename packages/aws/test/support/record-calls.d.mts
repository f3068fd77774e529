import type { AsyncLocalStorage } from 'node:async_hooks'

export const caller: AsyncLocalStorage<string>
export function recordInto(path: string | undefined): void
