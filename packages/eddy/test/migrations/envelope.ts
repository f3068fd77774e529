import { randomUUID } from 'node:crypto'

/** What producers write from now on: the same data, as the data of a CloudEvent. The partition key stays what it was. */
export function recordOf(data: object): string {
  return JSON.stringify({
    specversion: '1.0',
    id: randomUUID(),
    source: 'web-shop',
    type: 'visit',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data,
  })
}

/** What the old function reads until it is gone: either form. */
export function dataOf(text: string): unknown {
  const value = JSON.parse(text)
  return value?.specversion === '1.0' ? value.data : value
}
