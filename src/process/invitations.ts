// Bootstrap tokens, and the command with which a machine joins by one.
import { randomInt } from 'node:crypto';
import type { Clock, Instant } from '../base/clock.js';
import { ClusterError } from '../base/errors.js';
import type { Cluster } from '../client/cluster.js';
import { authorityHash } from '../pki/certificate.js';
import {
  bootstrapTokenNamespace,
  bootstrapTokenSecret,
  bootstrapTokenType,
  parseToken,
  readBootstrapToken,
  tokenSecretName,
  type BootstrapToken,
  type TokenParts,
} from '../resources/bootstrap-token.js';
import { clusterInfo, clusterInfoKey, readClusterInfo, signatureKey } from '../resources/cluster-info.js';
import { configmaps } from '../resources/kinds/configmaps.js';
import { secrets } from '../resources/kinds/secrets.js';

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

const randomText = (length: number): string =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');

export interface TokenOptions {
  /** Undefined: made up. */
  readonly token: TokenParts | undefined;
  /** Undefined: it never expires. */
  readonly expires: Instant | undefined;
  readonly description: string;
  readonly usages: readonly string[];
  readonly groups: readonly string[];
}

export const tokenUsages = ['authentication', 'signing'] as const;

/** Throws AlreadyExists for an id that is in use. */
export const createToken = async (cluster: Cluster, options: TokenOptions): Promise<BootstrapToken> => {
  const { token, ...rest } = options;
  const made = { ...(token ?? { id: randomText(6), secret: randomText(16) }), ...rest };
  await cluster.create(secrets, bootstrapTokenSecret(made));
  return made;
};

export const listTokens = async (cluster: Cluster): Promise<readonly BootstrapToken[]> => {
  const { items } = await cluster.list(secrets, {
    namespace: bootstrapTokenNamespace,
    fieldSelector: `type=${bootstrapTokenType}`,
  });
  return items.flatMap((secret) => readBootstrapToken(secret) ?? []);
};

/** `token` is a whole one, or its id. Throws NotFound, BadRequest. */
export const deleteToken = async (cluster: Cluster, token: string): Promise<string> => {
  const id = /^[a-z0-9]{6}$/.test(token) ? token : parseToken(token)?.id;
  if (id === undefined)
    throw new ClusterError(
      'BadRequest',
      `${token} is no token and no token's id, such as abcdef.0123456789abcdef`,
    );
  await cluster.delete(secrets, { name: tokenSecretName(id), namespace: bootstrapTokenNamespace });
  return id;
};

const signedWithinMs = 10_000;
const pollMs = 100;

/** `capstan join …`, when cluster-info carries the token's signature, which takes a moment. */
export const joinCommand = async (
  cluster: Cluster,
  { id, secret, usages }: BootstrapToken,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string> => {
  const end = clock.now() + signedWithinMs;
  for (;;) {
    const { data = {} } = await cluster.get(configmaps, clusterInfo, signal);
    const address = readClusterInfo(data[clusterInfoKey] ?? '');
    if (address === undefined)
      throw new ClusterError('InternalError', 'kube-public/cluster-info is damaged: restart the server');
    const signed = data[signatureKey(id)] !== undefined || !usages.includes('signing');
    if (signed || clock.now() > end)
      return `capstan join ${new URL(address.server).host} --token ${id}.${secret} --ca-hash ${authorityHash(address.ca)}`;
    await clock.sleep(pollMs, signal);
  }
};
