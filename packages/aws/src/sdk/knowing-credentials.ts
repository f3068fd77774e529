import { LOST_CREDENTIALS } from './sdk-error.ts'

type Handler<Args, Output> = (args: Args) => Promise<Output>
type Middleware = <Args, Output>(next: Handler<Args, Output>) => Handler<Args, Output>

interface Client {
  readonly middlewareStack: {
    add(middleware: Middleware, options: { readonly step: 'initialize'; readonly name: string }): void
  }
}

const NO_CREDENTIALS = /^(CredentialsProviderError|TokenProviderError|ExpiredToken(Exception)?)$/

/**
 * Once a request of the client was answered, its credentials are known to be there: that they cannot be renewed may be over
 * soon, such as when the metadata service of a machine is late. The SDK asks for new ones some minutes before the old ones
 * expire, and fails every request that waits for them; no reader must stop for good then (I9). At first it is a mistake
 * of the deployment, which is told at once.
 */
export function knowingCredentials<C extends Client>(client: C): C {
  let isKnown = false
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        const output = await next(args)
        isKnown = true
        return output
      } catch (error) {
        if (!isKnown || !(error instanceof Error) || !NO_CREDENTIALS.test(error.name)) throw error
        throw Object.assign(new Error(error.message, { cause: error }), { name: LOST_CREDENTIALS })
      }
    },
    { step: 'initialize', name: 'eddyKnownCredentials' },
  )
  return client
}
