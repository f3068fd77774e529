import { expect, it } from 'vitest'
import { paint } from '../../../src/command/format/paint.ts'
import { startBanner } from '../../../src/command/start/start-banner.ts'

it('says with a token that the commands to try need it, and only then', () => {
  const started = {
    url: 'http://127.0.0.1:4010',
    port: 4010,
    dataDir: '/data',
    app: undefined,
    file: undefined,
  }
  const open = startBanner({ ...started, needsToken: false }, paint(false))
  expect(open).toContain('\nTry next:\n  eddy streams create')
  const closed = startBanner({ ...started, needsToken: true }, paint(false))
  expect(closed).toContain(
    '\nTry next, with EDDY_TOKEN set to the token of this server:\n  eddy streams create',
  )
})
