/** How many of a kind all queues hold together. */
export interface Tally {
  used: number
}
