import {
  blobsContract,
  clockContract,
  limitsContract,
  logContract,
  queueContract,
  tableContract,
} from '@eddy/testing/contracts'
import { openFixture, openOnVirtualClock } from './support/fixture.ts'

logContract('embedded', openFixture, { maxRecordBytes: 10 * 1024 * 1024 })
limitsContract('embedded', openOnVirtualClock)
queueContract('embedded', openFixture)
tableContract('embedded', openFixture)
blobsContract('embedded', openFixture)
clockContract('embedded', openFixture)
