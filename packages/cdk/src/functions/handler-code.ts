import { dirname, resolve } from 'node:path'
import { AssetHashType, DockerImage } from 'aws-cdk-lib'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { type BundleOptions, bundleHandlers } from './bundle-handlers.ts'

/** The code of all functions of an application: one asset, whose hash is that of what was bundled. */
export function handlerCode({ entry, sdk }: Omit<BundleOptions, 'outDir'>): Code {
  return Code.fromAsset(dirname(resolve(entry)), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Asked for by the interface; the local way below never fails over to it.
      image: DockerImage.fromRegistry('none'),
      local: {
        tryBundle: (outDir: string) => {
          bundleHandlers({ entry, outDir, sdk })
          return true
        },
      },
    },
  })
}
