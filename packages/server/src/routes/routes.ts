import type { Route } from '../route.ts'
import { auditRoutes } from './audit-routes.ts'
import { backupRoutes } from './backup-routes.ts'
import { eventsRoutes } from './events-routes.ts'
import { failuresRoutes } from './failures-routes.ts'
import { healthRoutes } from './health-routes.ts'
import { policyRoutes } from './policy-routes.ts'
import { queuesRoutes } from './queues-routes.ts'
import { recordsRoutes } from './records-routes.ts'
import { redrivesRoutes } from './redrives-routes.ts'
import { streamsRoutes } from './streams-routes.ts'
import { subscriptionsRoutes } from './subscriptions-routes.ts'

/** Every route of the API. Fixed paths stand before those with parameters. */
export const routes: readonly Route[] = [
  ...healthRoutes,
  ...recordsRoutes,
  ...streamsRoutes,
  ...queuesRoutes,
  ...subscriptionsRoutes,
  ...policyRoutes,
  ...failuresRoutes,
  ...redrivesRoutes,
  ...eventsRoutes,
  ...auditRoutes,
  ...backupRoutes,
]
