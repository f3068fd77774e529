import { type AppDefinition, AppLoadError, isApp } from '@eddy/core'

const EXPECTED = 'expected the result of defineApp() as the default export, or as a named export "app"'

/** The application among a module's exports. @throws AppLoadError saying what came instead */
export function appOf(module: unknown, file: string): AppDefinition {
  const exports = (typeof module === 'object' && module !== null ? module : {}) as Record<string, unknown>
  const candidate = exports.default ?? exports.app
  // CommonJS: module.exports = defineApp(…), or exports.default inside the default.
  const value = isApp(candidate) ? candidate : isApp(module) ? module : innerDefault(candidate)
  if (isApp(value)) return value
  throw new AppLoadError(file, `${EXPECTED}, received ${received(candidate, exports)}. ${hint(candidate)}`)
}

function innerDefault(candidate: unknown): unknown {
  if (typeof candidate !== 'object' || candidate === null) return undefined
  const { default: inner, app } = candidate as Record<string, unknown>
  return inner ?? app
}

function received(candidate: unknown, exports: Record<string, unknown>): string {
  if (candidate === undefined) {
    const names = Object.keys(exports).filter((name) => name !== '__esModule')
    return names.length === 0 ? 'no export' : `only the exports ${names.slice(0, 8).join(', ')}`
  }
  if (candidate === null) return 'null'
  if (typeof candidate === 'function') return 'a function'
  if (candidate instanceof Promise) return 'a promise'
  if (typeof candidate === 'object') {
    const { kind } = candidate as Record<string, unknown>
    if (kind === 'app') return 'an object that defineApp() did not make'
    return typeof kind === 'string'
      ? `a ${kind}`
      : `an object with ${Object.keys(candidate).slice(0, 8).join(', ') || 'nothing in it'}`
  }
  return `the ${typeof candidate} ${JSON.stringify(candidate)}`
}

function hint(candidate: unknown): string {
  if (typeof candidate === 'function') return 'Export what it returns: export default defineApp({ … })'
  if (candidate instanceof Promise) return 'Await it first: export default await …'
  return 'Write: export default defineApp({ streams: [ … ], subscriptions: [ … ] })'
}
