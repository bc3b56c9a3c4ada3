// Secrets of type kubernetes.io/service-account-token: filled with a token of their account, and gone with it.
import { equal } from '../../base/json.js';
import type { Cluster } from '../../client/cluster.js';
import type { Index } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Executor } from '../../reconcile/controller.js';
import type { Secret, ServiceAccount } from '../../resources/generated/types.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { serviceaccounts } from '../../resources/kinds/serviceaccounts.js';
import { isDeleting, nameOf } from '../../resources/resource.js';

export const tokenSecretType = 'kubernetes.io/service-account-token';
const nameAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';

export interface TokenSecretObserved {
  readonly secret: Secret;
  readonly account: ServiceAccount | undefined;
}

/** The token of an account in a Secret; the authority's part. */
export type SignToken = (secret: Secret, account: ServiceAccount) => Promise<string>;

export type TokenSecretAction =
  | ClusterAction
  /** Writes the Secret with a token in it. */
  | { readonly type: 'fill'; readonly secret: Secret; readonly account: ServiceAccount };

const accountName = ({ metadata }: Secret): string => metadata.annotations?.[nameAnnotation] ?? '';

const byAccount: Index<Secret> = {
  name: 'token secrets by account',
  kind: secrets,
  keys: (secret) =>
    secret.type === tokenSecretType ? [`${secret.metadata.namespace ?? ''}/${accountName(secret)}`] : [],
};

/** The Secret with everything in it but the token. */
const completed = (secret: Secret, account: ServiceAccount, ca: string | undefined): Secret => ({
  ...secret,
  metadata: {
    ...secret.metadata,
    annotations: { ...secret.metadata.annotations, [uidAnnotation]: account.metadata.uid },
  },
  data: {
    ...secret.data,
    ...(ca === undefined ? {} : { 'ca.crt': Buffer.from(ca).toString('base64') }),
    namespace: Buffer.from(secret.metadata.namespace ?? '').toString('base64'),
  },
});

/** `ca`: PEM of the cluster's authority. */
export const createTokenSecretController = (
  ca: string | undefined,
): Controller<TokenSecretObserved, TokenSecretAction> => ({
  name: 'token-secrets',
  watches: [
    {
      kind: secrets,
      keys: ({ type, object }) =>
        type !== 'deleted' && (object as Secret).type === tokenSecretType ? [nameOf(object)] : [],
    },
    {
      kind: serviceaccounts,
      keys: ({ object }, view) =>
        view
          .lookup(byAccount, `${object.metadata.namespace ?? ''}/${object.metadata.name}`)
          .map((secret) => nameOf(secret)),
    },
  ],
  indexes: [byAccount],
  observe: (view, key) => {
    const secret = view.get(secrets, key);
    if (secret === undefined || isDeleting(secret) || secret.type !== tokenSecretType) return undefined;
    return {
      secret,
      account: view.get(serviceaccounts, { name: accountName(secret), namespace: key.namespace }),
    };
  },
  reconcile: ({ secret, account }) => {
    const { uid, resourceVersion } = secret.metadata;
    const known = secret.metadata.annotations?.[uidAnnotation] ?? '';
    if (account === undefined || (known !== '' && known !== account.metadata.uid))
      return {
        actions: [
          {
            type: 'delete',
            kind: secrets,
            name: nameOf(secret),
            options: { preconditions: { uid, resourceVersion } },
          },
        ],
        because: `its service account ${accountName(secret)} is gone`,
      };
    const wanted = completed(secret, account, ca);
    if (secret.data?.['token'] === undefined)
      return { actions: [{ type: 'fill', secret: wanted, account }], because: 'it has no token yet' };
    return equal(wanted, secret)
      ? { actions: [], because: 'it has its token' }
      : {
          actions: [{ type: 'update', kind: secrets, object: wanted }],
          because: 'what stands beside the token has changed',
        };
  },
});

export const createTokenSecretExecutor = (
  cluster: Cluster,
  sign: SignToken,
  others: Executor<ClusterAction>,
): Executor<TokenSecretAction> => ({
  execute: async (action, signal) => {
    if (action.type !== 'fill') return others.execute(action, signal);
    const { secret, account } = action;
    const token = Buffer.from(await sign(secret, account)).toString('base64');
    await cluster.update(secrets, { ...secret, data: { ...secret.data, token } });
  },
});
