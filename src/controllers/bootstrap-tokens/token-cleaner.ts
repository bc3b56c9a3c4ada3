// Bootstrap tokens go when they expire.
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller } from '../../reconcile/controller.js';
import { bootstrapTokenType, hasExpired, readBootstrapToken } from '../../resources/bootstrap-token.js';
import type { Secret } from '../../resources/generated/types.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { isDeleting, nameOf } from '../../resources/resource.js';

export const tokenCleaner: Controller<Secret, ClusterAction> = {
  name: 'token-cleaner',
  watches: [
    {
      kind: secrets,
      keys: ({ type, object }) =>
        type !== 'deleted' && (object as Secret).type === bootstrapTokenType ? [nameOf(object)] : [],
    },
  ],
  observe: (view, key) => {
    const secret = view.get(secrets, key);
    return secret === undefined || isDeleting(secret) ? undefined : secret;
  },
  reconcile: (secret, now) => {
    const token = readBootstrapToken(secret);
    if (token?.expires === undefined) return { actions: [], because: 'it does not expire' };
    if (!hasExpired(token, now)) return { actions: [], because: 'it has not expired', wakeAt: token.expires };
    const { uid, resourceVersion } = secret.metadata;
    return {
      actions: [
        {
          type: 'delete',
          kind: secrets,
          name: nameOf(secret),
          options: { preconditions: { uid, resourceVersion } },
        },
      ],
      because: `bootstrap token ${token.id} has expired`,
    };
  },
};
