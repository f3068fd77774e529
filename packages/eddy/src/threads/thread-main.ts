import { parentPort, workerData } from 'node:worker_threads'
import { loadApp } from '../load-app/load-app.ts'
import { CallRunner } from './call-runner.ts'
import { CallStates } from './call-states.ts'
import type { FromThread, ThreadSetup, ToThread } from './messages.ts'
import { toWire } from './wire-error.ts'

// The first module of a handler's thread: loads the application file, then runs what its owner sends.

const port = parentPort
if (port === null) throw new Error('this module is started as a worker thread by Eddy itself')
const { appFile, subscription, memory } = workerData as ThreadSetup
const send = (message: FromThread): void => port.postMessage(message)

try {
  const app = await loadApp(appFile)
  const definition = app.subscriptions.find(({ name }) => name === subscription)
  if (definition === undefined)
    throw new Error(
      `${appFile} has no subscription "${subscription}": is it the file of the application that was opened?`,
    )
  const runner = new CallRunner(definition, new CallStates(memory), send)
  port.on('message', (message: ToThread) => runner.onMessage(message))
  send({ kind: 'ready' })
} catch (error) {
  send({ kind: 'not-ready', error: toWire(error) })
}
