import { append } from '../append/append.ts'
import { burst } from '../burst/burst.ts'
import { endpointStart } from '../endpoint-start/endpoint-start.ts'
import { endpointThroughput } from '../endpoint-throughput/endpoint-throughput.ts'
import { head } from '../head/head.ts'
import { keys } from '../keys/keys.ts'
import { lambdaInit } from '../lambda-init/lambda-init.ts'
import { million } from '../million/million.ts'
import { peers } from '../peers/peers.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { poisoned } from '../poisoned/poisoned.ts'
import { punctuality } from '../punctuality/punctuality.ts'
import { reopen } from '../reopen/reopen.ts'
import type { Benchmark } from '../support/benchmark.ts'
import { threads } from '../threads/threads.ts'
import { writers } from '../writers/writers.ts'

export const BENCHMARKS: readonly Benchmark[] = [
  append,
  pipeline,
  keys,
  poisoned,
  punctuality,
  burst,
  million,
  reopen,
  head,
  endpointThroughput,
  endpointStart,
  lambdaInit,
  threads,
  writers,
  peers,
]
