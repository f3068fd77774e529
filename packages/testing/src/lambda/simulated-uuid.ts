import type { Clock } from '@eddy/core'

/** A UUID (version 4) by the clock's chance, so that a simulation repeats it. */
export function simulatedUuid(clock: Pick<Clock, 'random'>): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(clock.random() * 16).toString(16))
  hex[12] = '4'
  hex[16] = (8 + Math.floor(clock.random() * 4)).toString(16)
  const part = (from: number, to: number): string => hex.slice(from, to).join('')
  return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`
}
