import { writeSync } from 'node:fs'
import { loadApp } from 'eddy/load-app'
import { describeApp } from './app-description.ts'
import { ANSWER_FD, type Answer } from './load-description.ts'

const [file = ''] = process.argv.slice(2)

let answer: Answer
try {
  answer = { description: describeApp(await loadApp(file)) }
} catch (error) {
  const { message } = error instanceof Error ? error : new Error(String(error))
  answer = { problem: message.replace(`cannot load the application ${file}: `, '') }
}
const bytes = Buffer.from(JSON.stringify(answer))
for (let from = 0; from < bytes.length; ) from += writeSync(ANSWER_FD, bytes, from)
// An application may have begun something that would keep the process.
process.exit(0)
