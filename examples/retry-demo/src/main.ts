import { once } from 'node:events'
import { serve } from '@eddy/server'
import { type NotifySink, open } from 'eddy'
import { AttemptLog } from './attempt-log.ts'
import { createFront, hintsFor } from './front.ts'
import { DemoMailServer } from './mail-server.ts'
import { retryDemoApp } from './retry-demo-app.ts'

/** `npm start -w examples/retry-demo`. PORT: the demo's; EDDY_PORT: Eddy's own API; DATA_DIR; RETRY_DELAY_MS. */
const port = Number(process.env.PORT ?? '3000')
const eddyPort = Number(process.env.EDDY_PORT ?? '4010')
const dataDir = process.env.DATA_DIR ?? '.eddy/retry-demo'
const eddyUrl = `http://127.0.0.1:${eddyPort}`

/** Tells on the terminal what died, where to look and how to send it again. */
const tellWhatDied: NotifySink = {
  name: 'terminal',
  notify(notice) {
    if (notice.kind !== 'dead-letter') return
    const { look, redrive } = hintsFor(notice.subscription, eddyUrl)
    console.log(`dead: "${notice.key}" in ${notice.subscription}: ${notice.reason}\n  ${look}\n  ${redrive}`)
  },
}

const mail = new DemoMailServer()
const log = new AttemptLog()
const retryDelayMs = Number(process.env.RETRY_DELAY_MS ?? '1000')
const eddy = await open(retryDemoApp({ mail, log, retryDelayMs, notify: tellWhatDied }), { dataDir })
const api = await serve({
  operations: eddy.operations,
  host: '127.0.0.1',
  port: eddyPort,
  version: '0.1.0',
}).catch(async (error: Error) => {
  await eddy.close()
  console.error(`${error.message} Here: EDDY_PORT=${eddyPort + 1} npm start -w examples/retry-demo`)
  return process.exit(1)
})
const front = createFront({ eddy, log, mail, eddyUrl: api.url })
front.listen(port, '127.0.0.1')
await once(front, 'listening')
console.log(`the demo listens on http://127.0.0.1:${port}, Eddy's API on ${api.url}; try:
  curl 'http://127.0.0.1:${port}/?fail=true'
  curl 'http://127.0.0.1:${port}/log'`)

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
front.close()
await api.close()
await eddy.close()
process.exit(0)
