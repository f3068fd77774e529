/** 1234567 as `1,234,567`. */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** 1536 as `1.5 KiB`. */
export function byteSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${UNITS[unit]}`
}

/** `1 event`, `2 events`. */
export function plural(value: number, noun: string, many: string = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : many}`
}
