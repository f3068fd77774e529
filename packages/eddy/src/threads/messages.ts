import type { HandlerContext } from '@eddy/core'
import type { WireError } from './wire-error.ts'

/** What a thread is started with. */
export interface ThreadSetup {
  readonly appFile: string
  readonly subscription: string
  readonly memory: SharedArrayBuffer
}

/** A call, without its bytes: those of all calls of a message lie one after another in its buffer. */
export interface CallMessage {
  /** Unique in its thread; a place is used again. */
  readonly id: number
  readonly place: number
  readonly handler: 'handle' | 'onExhausted'
  readonly byteOffset: number
  readonly byteLength: number
  readonly context: CallContext
}

/** The plain part of a handler's context. */
export type CallContext = Omit<HandlerContext, 'signal' | 'step' | 'append' | 'send'>

/** From the owner to its thread. */
export type ToThread =
  /** `calls`: the JSON of CallMessages, which costs less than cloning as many objects. */
  | { readonly kind: 'calls'; readonly calls: string; readonly bytes: ArrayBuffer }
  | { readonly kind: 'abort'; readonly id: number; readonly reason: WireError }
  /** The answer to a request of a call. `run`: the step was not finished before, it is to be run now. */
  | { readonly kind: 'run'; readonly id: number; readonly request: number }
  | { readonly kind: 'answer'; readonly id: number; readonly request: number; readonly answer: Answer }

/** From a thread to its owner. */
export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'not-ready'; readonly error: WireError }
  /** Everything that was sent has begun. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'results'; readonly results: readonly CallResult[] }
  /** It has seen the abort: its loop is alive. */
  | { readonly kind: 'aborted'; readonly id: number }
  | { readonly kind: 'step'; readonly id: number; readonly request: number; readonly name: string }
  | { readonly kind: 'step-ran'; readonly id: number; readonly request: number; readonly answer: Answer }
  | {
      readonly kind: 'append'
      readonly id: number
      readonly request: number
      readonly stream: string
      /** JSON. */
      readonly events: string
    }
  | {
      readonly kind: 'send'
      readonly id: number
      readonly request: number
      readonly queue: string
      /** JSON. */
      readonly messages: string
    }

/** `value`: of a step, the JSON of `{ value }`. */
export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: WireError }

export interface CallResult {
  readonly id: number
  readonly answer: Answer
  /** Until the function had returned, its promise perhaps pending: what it kept the thread busy for. */
  readonly busyMs: number
  readonly ranMs: number
}
