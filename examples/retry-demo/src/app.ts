import type { AppDefinition } from 'eddy'
import { AttemptLog } from './attempt-log.ts'
import { HttpMailServer } from './http-mail-server.ts'
import { DemoMailServer } from './mail-server.ts'
import { retryDemoApp } from './retry-demo-app.ts'

/** For `eddy start` and functions of AWS Lambda: settings come from the environment, see the README. */
const { MAIL_URL, RETRY_DELAY_MS } = process.env

const app: AppDefinition = retryDemoApp({
  mail: MAIL_URL === undefined ? new DemoMailServer() : new HttpMailServer(MAIL_URL),
  log: new AttemptLog(),
  retryDelayMs: Number(RETRY_DELAY_MS ?? '1000'),
})

export default app
