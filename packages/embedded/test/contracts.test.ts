import {
  blobsContract,
  clockContract,
  logContract,
  queueContract,
  tableContract,
} from '@eddy/testing/contracts'
import { openFixture } from './support/fixture.ts'

logContract('embedded', openFixture, { maxRecordBytes: 10 * 1024 * 1024 })
queueContract('embedded', openFixture)
tableContract('embedded', openFixture)
blobsContract('embedded', openFixture)
clockContract('embedded', openFixture)
