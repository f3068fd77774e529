import type { AwsService } from './aws-service.ts'
import type { ServiceModel } from './model/service-model.ts'

/**
 * A service that is made with its first request: an endpoint that is asked for one service only need not load the
 * others. It serves every operation of its model.
 */
export function lazyService(model: ServiceModel, make: () => Promise<AwsService>): AwsService {
  let made: Promise<AwsService> | undefined
  const names = Object.keys(model.operations)
  return {
    model,
    operations: new Map(
      names.map((name) => [
        name,
        async (input, call) => {
          made ??= make()
          const operation = (await made).operations.get(name)
          if (operation === undefined)
            throw new Error(`${name} is in the model of ${model.name} and not served`)
          return await operation(input, call)
        },
      ]),
    ),
  }
}
