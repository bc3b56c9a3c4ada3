// Bearer tokens of machines that join: `id.secret`, looked up in the Secrets of kube-system.
import { timingSafeEqual } from 'node:crypto';
import type { Clock, Instant } from '../../base/clock.js';
import { hasCode } from '../../base/errors.js';
import type { Identity } from '../../base/http.js';
import {
  bootstrappersGroup,
  bootstrapTokenNamespace,
  hasExpired,
  parseToken,
  readBootstrapToken,
  tokenSecretName,
  type BootstrapToken,
} from '../../resources/bootstrap-token.js';
import type { Secret } from '../../resources/generated/types.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { authenticated, unauthorized, type TokenAuthenticator } from '../authenticate.js';
import type { Registry } from '../registry.js';

export interface BootstrapTokensOptions {
  readonly registry: Pick<Registry, 'get'>;
  readonly clock: Clock;
}

const fix = '`capstan token create` on a master makes a new one';
const remembered = 100;

const same = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

export class BootstrapTokens {
  readonly #options: BootstrapTokensOptions;
  /** Of those that were removed when they expired: whoever comes with one is told so. */
  readonly #expired = new Map<string, Instant>();

  constructor(options: BootstrapTokensOptions) {
    this.#options = options;
  }

  /** To be told of every token that is removed. */
  removed(secret: Secret): void {
    const token = readBootstrapToken(secret);
    if (token?.expires === undefined || !hasExpired(token, this.#options.clock.now())) return;
    if (this.#expired.size >= remembered) this.#expired.clear();
    this.#expired.set(token.id, token.expires);
  }

  readonly authenticate: TokenAuthenticator = async (text) => {
    const sent = parseToken(text);
    if (sent === undefined) return undefined;
    const token = await this.#find(sent.id);
    if (token === undefined || !same(token.secret, sent.secret))
      throw unauthorized(this.#unknown(sent.id, token));
    if (hasExpired(token, this.#options.clock.now()))
      throw unauthorized(expiredText(token.id, token.expires));
    if (!token.usages.includes('authentication'))
      throw unauthorized(`bootstrap token ${token.id} is not for authentication`);
    return identityOf(token);
  };

  async #find(id: string): Promise<BootstrapToken | undefined> {
    try {
      const name = { name: tokenSecretName(id), namespace: bootstrapTokenNamespace };
      const { object } = await this.#options.registry.get(secrets, name);
      return readBootstrapToken(object);
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  #unknown(id: string, token: BootstrapToken | undefined): string {
    const expired = this.#expired.get(id);
    if (expired !== undefined) return expiredText(id, expired);
    return token === undefined
      ? `there is no bootstrap token ${id}: it was mistyped, or has been removed; ${fix}`
      : `the secret of bootstrap token ${id} is wrong: look at the command that was printed with it`;
  }
}

const expiredText = (id: string, at: Instant | undefined): string =>
  `bootstrap token ${id} expired at ${new Date(at ?? 0).toISOString()}; ${fix}`;

const identityOf = ({ id, groups }: BootstrapToken): Identity => ({
  user: `system:bootstrap:${id}`,
  groups: [bootstrappersGroup, ...groups, authenticated],
});
