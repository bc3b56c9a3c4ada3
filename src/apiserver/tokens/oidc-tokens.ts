// ID tokens of an outside OpenID provider: whoever it vouches for is a user here, by the claims that the settings name.
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Clock, Instant } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Identity } from '../../base/http.js';
import { isObject } from '../../base/json.js';
import type { Logger } from '../../base/log.js';
import { unverifiedClaims, verifyClaims, type Claims } from '../../pki/json-web-token.js';
import { authenticated, unauthorized, type TokenAuthenticator } from '../authenticate.js';

export interface OidcOptions {
  /** `https://login.example.org`, exactly as its tokens say. */
  readonly issuer: string;
  /** The audience of its tokens. */
  readonly clientId: string;
  readonly usernameClaim: string;
  /** Before names, so that the provider's `admin` is not the cluster's; `-` for none; undefined: `ISSUER#`, but for mail addresses. */
  readonly usernamePrefix: string | undefined;
  readonly groupsClaim: string | undefined;
  readonly groupsPrefix: string;
  readonly requiredClaims: Readonly<Record<string, string>>;
  readonly algorithms: readonly string[];
  /** A JSON document of the provider; rejects when it cannot be had. */
  fetchJson(url: string): Promise<unknown>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keys are asked for again when they are as old as this, or when a token names one that is not among them. */
const freshMs = 15 * 60_000;
/** But not more often than this: anyone may send tokens that name unknown keys. */
const pauseMs = 10_000;

const isKeySet = (value: unknown): value is JSONWebKeySet => isObject(value) && Array.isArray(value['keys']);

/** The provider's keys: cached, and renewed when they rotate. */
class ProviderKeys {
  readonly #options: OidcOptions;
  #keys: JWTVerifyGetKey | undefined;
  #asked: Instant = -Infinity;
  #running: Promise<void> | undefined;

  constructor(options: OidcOptions) {
    this.#options = options;
  }

  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (this.#options.clock.now() - this.#asked > freshMs) await this.#renew();
    try {
      return await this.#current(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#renew();
      return this.#current(header, token);
    }
  };

  #current(...asked: Parameters<JWTVerifyGetKey>): ReturnType<JWTVerifyGetKey> {
    if (this.#keys === undefined)
      throw unauthorized(
        `the keys of ${this.#options.issuer} could not be fetched: the token cannot be verified now`,
      );
    return this.#keys(...asked);
  }

  async #renew(): Promise<void> {
    const { clock, issuer, log } = this.#options;
    if (this.#running === undefined) {
      if (clock.now() - this.#asked < pauseMs) return;
      this.#asked = clock.now();
      this.#running = this.#fetch().finally(() => {
        this.#running = undefined;
      });
    }
    try {
      await this.#running;
    } catch (error) {
      // What is known goes on to be good: a provider that is away ends no session.
      log.warn({ issuer, error: messageOf(error) }, 'the keys of the OpenID provider could not be fetched');
    }
  }

  async #fetch(): Promise<void> {
    const { issuer, fetchJson } = this.#options;
    const configuration = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    const { issuer: named, jwks_uri: address } = isObject(configuration) ? configuration : {};
    if (named !== issuer)
      throw new Error(`the discovery document names another issuer (${JSON.stringify(named)})`);
    if (typeof address !== 'string' || !address.startsWith('https://'))
      throw new Error('the discovery document names no https address of its keys');
    const keys = await fetchJson(address);
    if (!isKeySet(keys)) throw new Error(`there is no key set at ${address}`);
    this.#keys = createLocalJWKSet(keys);
  }
}

const texts = (value: unknown): readonly string[] =>
  typeof value === 'string'
    ? [value]
    : Array.isArray(value)
      ? value.filter((one) => typeof one === 'string')
      : [];

const userOf = (claims: Claims, { usernameClaim, usernamePrefix, issuer }: OidcOptions): string => {
  const name = claims[usernameClaim];
  if (typeof name !== 'string' || name === '')
    throw unauthorized(
      `the token of ${issuer} has no claim ${JSON.stringify(usernameClaim)}, which names the user`,
    );
  if (
    usernameClaim === 'email' &&
    claims['email_verified'] !== undefined &&
    claims['email_verified'] !== true
  )
    throw unauthorized(`${issuer} has not verified the mail address ${name}`);
  const prefix = usernamePrefix ?? (usernameClaim === 'email' ? '' : `${issuer}#`);
  return `${prefix === '-' ? '' : prefix}${name}`;
};

const checkRequired = (claims: Claims, { requiredClaims, issuer }: OidcOptions): void => {
  for (const [claim, value] of Object.entries(requiredClaims))
    if (claims[claim] !== value)
      throw unauthorized(`the token of ${issuer} must have the claim ${claim}=${value}`);
};

const identityOf = (claims: Claims, options: OidcOptions): Identity => {
  const { groupsClaim, groupsPrefix } = options;
  const groups = groupsClaim === undefined ? [] : texts(claims[groupsClaim]);
  return {
    user: userOf(claims, options),
    groups: [...groups.map((group) => `${groupsPrefix}${group}`), authenticated],
  };
};

export const oidcTokens = (options: OidcOptions): TokenAuthenticator => {
  const keys = new ProviderKeys(options);
  const { issuer, clientId, algorithms, clock } = options;
  return async (token) => {
    if (unverifiedClaims(token)?.iss !== issuer) return undefined;
    const verified = await verifyClaims(token, keys.find, {
      issuer,
      audiences: [clientId],
      algorithms,
      now: clock.now(),
    });
    if ('problem' in verified)
      throw unauthorized(`the token of ${issuer} was not accepted: ${verified.problem}`);
    checkRequired(verified.claims, options);
    return identityOf(verified.claims, options);
  };
};
