/** The maps of the environments, as they are opened by the parts that own them. */
export const LOG_MAPS: readonly string[] = ['chunks', 'trims', 'producer-runs', 'producer-run-ages']
export const MAIN_MAPS: readonly string[] = [
  ...LOG_MAPS,
  'streams',
  'removed-streams',
  'queues',
  'messages',
  'message-groups',
  'message-ids',
  'items',
  'index',
  'expiry',
]
