import { expect, it } from 'vitest'
import { paint } from '../../../src/command/format/paint.ts'
import { startBanner } from '../../../src/command/start/start-banner.ts'

it('says with a token that the commands to try need it, and only then', () => {
  const started = {
    url: 'http://127.0.0.1:4010',
    port: 4010,
    aws: undefined,
    place: { dataDir: '/data' },
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

it('says where AWS clients are served, when they are', () => {
  const started = {
    url: 'http://127.0.0.1:4010',
    port: 4010,
    place: { dataDir: '/data' },
    app: undefined,
    file: undefined,
    needsToken: false,
  }
  const aws = { url: 'http://127.0.0.1:4566', region: 'us-east-1', needsSignature: false }
  const banner = startBanner({ ...started, aws }, paint(false))
  expect(banner).toContain(
    '\n  AWS endpoint   http://127.0.0.1:4566 (Kinesis and SQS, us-east-1, any credentials)\n',
  )
  expect(banner).toContain(
    '\n  aws --endpoint-url http://127.0.0.1:4566 --region us-east-1 kinesis list-streams',
  )
  expect(startBanner({ ...started, aws: { ...aws, needsSignature: true } }, paint(false))).toContain(
    'signatures checked',
  )
  expect(startBanner({ ...started, aws: undefined }, paint(false))).not.toContain('aws')
})

it('says for a worker on AWS what its resources are called', () => {
  const place = { resources: { name: 'shop', bucket: 'shop-payloads' } }
  const started = { url: 'http://127.0.0.1:4010', port: 4010, aws: undefined, place, app: undefined }
  const banner = startBanner({ ...started, file: 'app.ts', needsToken: false }, paint(false))
  expect(banner).toContain('\n  on AWS         shop, payloads in shop-payloads\n')
  expect(banner).not.toContain('data  ')
})
