import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { loadApp } from '../../src/load-app/load-app.ts'
import { open } from '../../src/open.ts'
import { until } from './support/real-server.ts'

it('the application of docs/guides/queues.md does what the page says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eddy-queue-guide-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const page = await readFile(new URL('../../../../docs/guides/queues.md', import.meta.url), 'utf8')
  const program = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  await writeFile(join(folder, 'app.ts'), program)
  const eddy = await open(await loadApp(join(folder, 'app.ts')), { dataDir: join(folder, 'data') })
  const mail = (to: string, order: string) => ({ data: { to, order }, deduplicationId: order })
  await eddy.send('mails', [
    mail('ada@example.org', 'o-1'),
    mail('ben', 'o-2'),
    mail('cleo@example.org', 'o-3'),
    mail('ada@example.org', 'o-1'),
  ])
  await eddy.send('mails', { ...mail('dan@example.org', 'o-4'), delayMs: 900_000 })
  const change = (account: string, cents: number) => ({ data: { account, cents } })
  await eddy.send('changes', [change('ada', 500), change('ben', 0), change('ben', 300), change('cleo', 120)])
  const { operations } = eddy
  await until(async () => {
    const [bookkeeper, mailer] = await operations.listSubscriptions()
    return (
      bookkeeper?.held === 2 && mailer?.dead === 1 && mailer.lagRecords === 1 && bookkeeper.lagRecords === 0
    )
  })
  const { items } = await operations.listFailures({})
  const shown = items.map(({ status, key, parked, attempts }) => [status, key, parked === true, attempts])
  expect(shown).toEqual(
    expect.arrayContaining([
      ['dead', 'o-2', false, 1],
      ['held', 'ben', true, 3],
      ['held', 'ben', false, 0],
    ]),
  )
  expect(shown).toHaveLength(3)
  expect(await operations.showQueue('mails')).toMatchObject({ messages: 1, delayed: 1 })
  expect(await operations.showQueue('changes')).toMatchObject({ messages: 0, group: 'account' })
  await eddy.close()
})
