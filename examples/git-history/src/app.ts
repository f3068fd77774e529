import { mkdirSync } from 'node:fs'
import type { AppDefinition } from 'eddy'
import { Activity } from './activity.ts'
import { gitHistoryApp } from './git-history-app.ts'
import { projectionDirectory } from './places.ts'
import { Projection } from './projection.ts'
import { readSettings } from './settings.ts'

/** For `eddy start`: settings come from the environment, see `readSettings`. */
const settings = readSettings(process.env)
const directory = projectionDirectory(settings.dataDirectory)
mkdirSync(directory, { recursive: true })

const app: AppDefinition = gitHistoryApp({
  projection: new Projection(directory),
  blocks: settings.blocks,
  failRate: settings.failRate,
  activity: new Activity(settings.activityFile),
})

export default app
