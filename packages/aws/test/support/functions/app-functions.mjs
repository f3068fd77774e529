import { handlers } from '@eddy/aws/lambda'
import { createApp } from '@eddy/server'
import { loadApp } from 'eddy/load-app'

/** What is deployed of an application: its file, which EDDY_APP names, with the handlers of `@eddy/aws`. */
const app = await loadApp(process.env.EDDY_APP ?? '')

export const { http, kinesis, queue, rescue, retry, sns, sweep } = handlers(app, { http: createApp })
