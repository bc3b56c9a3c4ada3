// Who may connect to a pod: the same question as for every other request, asked for the stream's subresource.
import type { HttpRequest, Identity } from '../../base/http.js';
import { forbidden, resourceAttributes } from '../authorize/attributes.js';
import type { Authorizer } from '../authorize/authorizer.js';
import { impersonated } from '../authorize/impersonate.js';
import type { ResourceRoute } from '../routes.js';

export interface StreamRequest {
  readonly identity: Identity;
  readonly route: ResourceRoute;
  readonly request: HttpRequest;
}

/** As whom the request is judged; throws Forbidden. */
export const authorizeStream = (
  authorizer: Authorizer,
  { identity, route, request }: StreamRequest,
): Identity => {
  const actor = impersonated(authorizer, request, identity);
  const wanted = resourceAttributes(request, route);
  const { allowed, reason } = authorizer.authorize(actor, wanted);
  if (!allowed) throw forbidden(actor, wanted, reason);
  return actor;
};
