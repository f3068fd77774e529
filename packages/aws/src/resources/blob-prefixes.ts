/**
 * Where bodies lie that are too large for a message. Each is removed with its message; a lifecycle may remove what was left
 * behind, once no message can be waiting for it any more: 14 days in a queue, 14 in its dead queue, and a year before that in
 * a schedule.
 */
export const WEEKS_PREFIX = 'queue-payloads/weeks/'
export const YEAR_PREFIX = 'queue-payloads/year/'
