import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../src/index.ts'
import { routes } from '../src/routes/routes.ts'

const text = await readFile(new URL('../../../docs/reference/http.md', import.meta.url), 'utf8')
/** Without the padding of table cells. */
const page = text.replace(/ +/g, ' ')

test('docs/reference/http.md and the routes name each other, both ways', () => {
  const described = [...page.matchAll(/^\| `([A-Z]+ \/[^`]*)` \|/gm)].map((match) => match[1])
  const served = routes.map((route) => `${route.method.toUpperCase()} ${route.path}`)
  expect(described.toSorted()).toEqual(served.toSorted())
})

test('every query parameter and header is named there', () => {
  for (const route of routes) {
    for (const { name } of route.doc.parameters ?? []) expect(page, `${route.doc.id} ${name}`).toContain(name)
  }
})

test('its limits are those of the code', () => {
  const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`
  expect(page).toContain(`| Body of a request | ${mib(DEFAULT_LIMITS.maxBodyBytes)}`)
  expect(page).toContain(`| All bodies at hand | ${mib(DEFAULT_LIMITS.maxPendingBodyBytes)}`)
  expect(page).toContain(`| Records of an append | ${DEFAULT_LIMITS.maxRecords} |`)
  expect(page).toContain(`| Event streams | ${DEFAULT_LIMITS.maxEventStreams} `)
  expect(page).toContain(`about ${mib(DEFAULT_LIMITS.maxReadBytes)} of records`)
})
