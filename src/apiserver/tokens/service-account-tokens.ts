// Tokens of service accounts: signed claims, bound to an account and, where asked, to a pod, a Secret or a node. They die
// with what they are bound to. Claims are those of Kubernetes (`serviceaccount/claims.go`).
import { LRUCache } from 'lru-cache';
import type { Clock, Instant } from '../../base/clock.js';
import { fromTimestamp } from '../../base/clock.js';
import { hasCode } from '../../base/errors.js';
import type { Identity } from '../../base/http.js';
import { isObject } from '../../base/json.js';
import {
  ownAlgorithms,
  ownKeys,
  signClaims,
  unverifiedClaims,
  verifyClaims,
  type Claims,
} from '../../pki/json-web-token.js';
import type { TokenKeys } from '../../pki/token-keys.js';
import type { Secret, ServiceAccount } from '../../resources/generated/types.js';
import type { Kind } from '../../resources/kind.js';
import { nodes } from '../../resources/kinds/nodes.js';
import { pods } from '../../resources/kinds/pods.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { serviceaccounts } from '../../resources/kinds/serviceaccounts.js';
import type { ObjectName, Resource } from '../../resources/resource.js';
import { authenticated, unauthorized } from '../authenticate.js';
import { serviceAccountUser } from '../authorize/role-index.js';
import type { Registry } from '../registry.js';

export interface NamedObject {
  readonly name: string;
  readonly uid: string;
}

export interface Binding {
  readonly pod?: NamedObject | undefined;
  readonly secret?: NamedObject | undefined;
  readonly node?: NamedObject | undefined;
}

export interface IssueOptions {
  readonly account: ServiceAccount;
  readonly audiences: readonly string[];
  readonly lifetimeMs: number;
  readonly binding: Binding;
}

export interface ServiceAccountTokensOptions {
  readonly registry: Pick<Registry, 'get'>;
  /** As of now: the signing key rotates. */
  readonly keys: () => TokenKeys;
  /** Such as `https://kubernetes.default.svc.cluster.local`; the audience of tokens that name none, too. */
  readonly issuer: string;
  readonly clock: Clock;
  readonly uid: () => string;
}

/** Of tokens in Secrets, which never expire. */
export const legacyIssuer = 'kubernetes/serviceaccount';
const legacyPrefix = `${legacyIssuer.replace('kubernetes/', 'kubernetes.io/')}/`;
const privateClaims = 'kubernetes.io';

/** An object that is being deleted vouches for its tokens a little longer, so that what ends can end in order. */
const leewayMs = 60_000;
const cached = 2000;

export interface Authenticated {
  readonly identity: Identity;
  /** Those of the token that were asked for. */
  readonly audiences: readonly string[];
}

const seconds = (ms: number): number => Math.floor(ms / 1000);

const named = (value: unknown): NamedObject | undefined =>
  isObject(value) && typeof value['name'] === 'string' && typeof value['uid'] === 'string'
    ? { name: value['name'], uid: value['uid'] }
    : undefined;

interface Subject extends Binding {
  readonly namespace: string;
  readonly account: NamedObject;
}

const subjectOf = (claims: Claims): Subject | undefined => {
  const own = claims[privateClaims];
  if (!isObject(own)) return undefined;
  const { namespace, serviceaccount, pod, secret, node } = own;
  const account = named(serviceaccount);
  return typeof namespace !== 'string' || account === undefined
    ? undefined
    : { namespace, account, pod: named(pod), secret: named(secret), node: named(node) };
};

const extraOf = ({ jti }: Claims, { pod, node }: Binding): Readonly<Record<string, readonly string[]>> => {
  const key = (name: string): string => `authentication.kubernetes.io/${name}`;
  return {
    ...(jti === undefined ? {} : { [key('credential-id')]: [`JTI=${jti}`] }),
    ...(pod === undefined ? {} : { [key('pod-name')]: [pod.name], [key('pod-uid')]: [pod.uid] }),
    ...(node === undefined ? {} : { [key('node-name')]: [node.name], [key('node-uid')]: [node.uid] }),
  };
};

const identityOf = (claims: Claims, subject: Subject): Identity => {
  const { namespace, account } = subject;
  return {
    user: serviceAccountUser(namespace, account.name),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, authenticated],
    uid: account.uid,
    extra: extraOf(claims, subject),
  };
};

export class ServiceAccountTokens {
  readonly #options: ServiceAccountTokensOptions;
  /** Claims whose signature has been checked, by token: the rest is checked every time. */
  readonly #verified = new LRUCache<string, Claims>({ max: cached });

  constructor(options: ServiceAccountTokensOptions) {
    this.#options = options;
  }

  get issuer(): string {
    return this.#options.issuer;
  }

  /** The signing key has changed: what a dropped key had vouched for counts no more. */
  forget(): void {
    this.#verified.clear();
  }

  async issue({ account, audiences, lifetimeMs, binding }: IssueOptions): Promise<{
    readonly token: string;
    readonly expires: Instant;
  }> {
    const { clock, issuer, keys, uid } = this.#options;
    const now = seconds(clock.now());
    const exp = now + seconds(lifetimeMs);
    const { name, namespace = '', uid: accountUid } = account.metadata;
    const bound = Object.entries(binding).filter(([, object]) => object !== undefined);
    const token = await signClaims(
      {
        aud: audiences.length === 0 ? [issuer] : [...audiences],
        exp,
        iat: now,
        iss: issuer,
        jti: uid(),
        [privateClaims]: {
          namespace,
          ...Object.fromEntries(bound),
          serviceaccount: { name, uid: accountUid },
        },
        nbf: now,
        sub: serviceAccountUser(namespace, name),
      },
      keys(),
    );
    return { token, expires: exp * 1000 };
  }

  /** For a Secret of type kubernetes.io/service-account-token: it lives as long as Secret and account do. */
  issueLegacy(secret: Secret, account: ServiceAccount): Promise<string> {
    const { namespace = '', name } = account.metadata;
    return signClaims(
      {
        iss: legacyIssuer,
        sub: serviceAccountUser(namespace, name),
        [`${legacyPrefix}namespace`]: namespace,
        [`${legacyPrefix}secret.name`]: secret.metadata.name,
        [`${legacyPrefix}service-account.name`]: name,
        [`${legacyPrefix}service-account.uid`]: account.metadata.uid,
      },
      this.#options.keys(),
    );
  }

  /**
   * Undefined when the token is of no service account of this cluster; throws Unauthorized when it is, and is not good.
   * `audiences`: of whoever asks; one of them must be the token's.
   */
  async authenticate(
    token: string,
    audiences: readonly string[] = [this.#options.issuer],
  ): Promise<Authenticated | undefined> {
    const issuer = unverifiedClaims(token)?.iss;
    if (issuer === legacyIssuer) return this.#legacy(token);
    if (issuer !== this.#options.issuer) return undefined;
    const claims = await this.#verify(token, issuer);
    const held = [claims.aud ?? []].flat();
    const common = audiences.filter((audience) => held.includes(audience));
    if (common.length === 0)
      throw unauthorized(
        `the service account token is for ${held.join(', ')}, not for ${audiences.join(', ')}`,
      );
    const subject = subjectOf(claims);
    if (subject === undefined) throw unauthorized('the service account token names no account');
    await this.#check(serviceaccounts, { ...subject.account, namespace: subject.namespace });
    if (subject.pod !== undefined) await this.#check(pods, { ...subject.pod, namespace: subject.namespace });
    else if (subject.node !== undefined) await this.#check(nodes, subject.node);
    if (subject.secret !== undefined)
      await this.#check(secrets, { ...subject.secret, namespace: subject.namespace });
    return { identity: identityOf(claims, subject), audiences: common };
  }

  async #verify(token: string, issuer: string): Promise<Claims> {
    const { keys, clock } = this.#options;
    const now = clock.now();
    const known = this.#verified.get(token);
    if (known !== undefined && (known.exp === undefined || known.exp * 1000 > now)) return known;
    const verified = await verifyClaims(token, ownKeys(keys()), { issuer, algorithms: ownAlgorithms, now });
    if ('problem' in verified)
      throw unauthorized(`the service account token was not accepted: ${verified.problem}`);
    this.#verified.set(token, verified.claims);
    return verified.claims;
  }

  async #legacy(token: string): Promise<Authenticated> {
    const claims = await this.#verify(token, legacyIssuer);
    const text = (name: string): string => {
      const value = claims[`${legacyPrefix}${name}`];
      return typeof value === 'string' ? value : '';
    };
    const namespace = text('namespace');
    const account = { name: text('service-account.name'), uid: text('service-account.uid') };
    await this.#check(serviceaccounts, { ...account, namespace });
    const secret = (await this.#find(secrets, { name: text('secret.name'), namespace })) as
      Secret | undefined;
    const stored = Buffer.from(secret?.data?.['token'] ?? '', 'base64').toString('utf8');
    if (stored !== token) throw unauthorized('the service account token is no longer in its Secret');
    return { identity: identityOf(claims, { namespace, account }), audiences: [this.#options.issuer] };
  }

  async #find(kind: Kind, name: ObjectName): Promise<Resource | undefined> {
    try {
      return (await this.#options.registry.get(kind, name)).object;
    } catch (error) {
      if (hasCode(error, 'NotFound', 'BadRequest')) return undefined;
      throw error;
    }
  }

  async #check(kind: Kind, { name, namespace, uid }: NamedObject & ObjectName): Promise<void> {
    const found = await this.#find(kind, { name, namespace });
    const what = `${kind.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
    if (found?.metadata.uid !== uid)
      throw unauthorized(
        `the service account token has ended with its ${what}, which ${found === undefined ? 'is gone' : 'is another one now'}`,
      );
    const ended = fromTimestamp(found.metadata.deletionTimestamp);
    if (ended !== undefined && ended + leewayMs < this.#options.clock.now())
      throw unauthorized(`the service account token has ended with its ${what}, which is being deleted`);
  }
}
