import { buildDocument, type OpenApiDocument } from './openapi/build-document.ts'
import { routes } from './routes/routes.ts'

/** The OpenAPI 3.1 document of the whole API, as served at `/openapi.json`. */
export function openApiDocument(): OpenApiDocument {
  return buildDocument(routes)
}
