import type { ContainerImage } from 'aws-cdk-lib/aws-ecs'

export interface WorkerOptions {
  /**
   * What runs: a container whose command is `eddy start … --engine aws`. Default: one made of `directory` at deployment.
   */
  readonly image?: ContainerImage
  /**
   * The npm project that has the application file and depends on `eddy`; default: the folder above `entry` that has
   * a package.json. A Dockerfile in it is used, else one is written.
   */
  readonly directory?: string
  /** Processes, 1 to 1,000; default 2. They balance shards among themselves. */
  readonly tasks?: number
  /** 256, 512, 1,024, 2,048, 4,096, 8,192 or 16,384; default 512: half a processor. */
  readonly cpu?: number
  /** Default 1,024. */
  readonly memoryMiB?: number
}
