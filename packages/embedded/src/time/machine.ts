/** What an engine takes from the machine that it runs on, without the store: for producers that have no engine here. */
export { md5, md5Hex } from '../log/md5-hex.ts'
export { systemClock } from './system-clock.ts'
