/** A received value for an error message: its kind and a short rendering, never a whole payload. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'string') return JSON.stringify(shorten(value))
  if (typeof value === 'object' && value !== null) {
    try {
      return shorten(JSON.stringify(value))
    } catch {
      return Array.isArray(value) ? 'an array' : 'an object'
    }
  }
  return String(value)
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
