import type { NewEvent } from 'eddy'

const DATA_BYTES = 1_024

/** Bodies of 1,024 bytes of JSON: some fields, some nesting, mostly text. */
export function sampleData(index: number): Record<string, unknown> {
  const data = {
    orderId: `order-${String(index).padStart(9, '0')}`,
    status: 'paid',
    amount: { value: 1_299 + (index % 1_000), currency: 'EUR' },
    items: [
      { sku: 'A-1001', quantity: 2, price: 499 },
      { sku: 'B-2002', quantity: 1, price: 301 },
    ],
    note: '',
  }
  const missing = DATA_BYTES - JSON.stringify(data).length
  data.note = 'the quick brown fox jumps over the lazy dog. '.repeat(30).slice(0, missing)
  return data
}

/** Some events made once and used again and again, so that making them costs the run nothing. */
export function sampleEvents(count: number, keyOf: (index: number) => string): NewEvent[] {
  return Array.from({ length: count }, (_, index) => ({ key: keyOf(index), data: sampleData(index) }))
}
