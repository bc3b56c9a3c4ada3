// Bootstrap tokens: Secrets of kube-system with which a machine that nobody knows yet proves that it was invited.
// https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
import { fromTimestamp } from '../base/clock.js';
import type { Instant } from '../base/clock.js';
import type { Secret } from './generated/types.js';
import type { Draft } from './resource.js';

export const bootstrapTokenType = 'bootstrap.kubernetes.io/token';
export const bootstrapTokenNamespace = 'kube-system';
export const bootstrappersGroup = 'system:bootstrappers';

const namePrefix = 'bootstrap-token-';
const groupShape = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const tokenShape = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;

export interface TokenParts {
  readonly id: string;
  readonly secret: string;
}

export interface BootstrapToken extends TokenParts {
  /** Undefined: it never expires. */
  readonly expires: Instant | undefined;
  readonly description: string;
  /** `authentication`, `signing`. */
  readonly usages: readonly string[];
  /** Beside `system:bootstrappers`. */
  readonly groups: readonly string[];
}

/** Undefined for what is no `[a-z0-9]{6}.[a-z0-9]{16}`. */
export const parseToken = (text: string): TokenParts | undefined => {
  const [, id, secret] = tokenShape.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
};

export const tokenSecretName = (id: string): string => `${namePrefix}${id}`;

const usagePrefix = 'usage-bootstrap-';

/** Undefined for a Secret that is no bootstrap token, or whose parts contradict each other. */
export const readBootstrapToken = ({ metadata, type, data = {} }: Secret): BootstrapToken | undefined => {
  if (type !== bootstrapTokenType || metadata.namespace !== bootstrapTokenNamespace) return undefined;
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  const parts = parseToken(`${text('token-id')}.${text('token-secret')}`);
  if (parts === undefined || metadata.name !== tokenSecretName(parts.id)) return undefined;
  const expiration = text('expiration');
  return {
    ...parts,
    // A time that nobody can read has passed: a token must not live for ever by a typing error.
    expires: expiration === '' ? undefined : (fromTimestamp(expiration) ?? 0),
    description: text('description'),
    usages: Object.keys(data)
      .filter((key) => key.startsWith(usagePrefix) && text(key) === 'true')
      .map((key) => key.slice(usagePrefix.length))
      .sort(),
    groups: text('auth-extra-groups')
      .split(',')
      .filter((group) => groupShape.test(group)),
  };
};

export const bootstrapTokenSecret = (token: BootstrapToken): Draft<Secret> => ({
  metadata: { name: tokenSecretName(token.id), namespace: bootstrapTokenNamespace },
  type: bootstrapTokenType,
  stringData: {
    'token-id': token.id,
    'token-secret': token.secret,
    ...(token.expires === undefined ? {} : { expiration: new Date(token.expires).toISOString() }),
    ...(token.description === '' ? {} : { description: token.description }),
    ...Object.fromEntries(token.usages.map((usage) => [`${usagePrefix}${usage}`, 'true'])),
    ...(token.groups.length === 0 ? {} : { 'auth-extra-groups': token.groups.join(',') }),
  },
});

export const hasExpired = ({ expires }: Pick<BootstrapToken, 'expires'>, now: Instant): boolean =>
  expires !== undefined && expires <= now;
