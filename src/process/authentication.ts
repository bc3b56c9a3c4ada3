// Who asks the API server: certificates, bootstrap tokens, tokens of service accounts, and of an outside provider.
import {
  createAuthenticator,
  type Authenticator,
  type TokenAuthenticator,
} from '../apiserver/authenticate.js';
import type { Registry } from '../apiserver/registry.js';
import { BootstrapTokens } from '../apiserver/tokens/bootstrap-tokens.js';
import { oidcTokens } from '../apiserver/tokens/oidc-tokens.js';
import { openIdDocuments } from '../apiserver/tokens/openid.js';
import { ServiceAccountTokens } from '../apiserver/tokens/service-account-tokens.js';
import { createTokenIssuer, type TokenIssuer } from '../apiserver/tokens/token-request.js';
import type { TokenReviewOptions } from '../apiserver/tokens/token-review.js';
import type { Clock } from '../base/clock.js';
import { ClusterError } from '../base/errors.js';
import type { Extension } from '../base/http.js';
import type { Logger } from '../base/log.js';
import { jsonFetcher } from '../host/fetch-json.js';
import { readOptionalFile } from '../host/files.js';
import { privateFiles } from '../host/private-files.js';
import { randomIds } from '../host/random-ids.js';
import { openTokenKeys, rotateTokenKey } from '../pki/token-keys.js';
import { dataDirectory } from './data-directory.js';
import { namesOf, type Settings } from './settings.js';

export interface AuthenticationOptions {
  readonly settings: Settings;
  readonly registry: Registry;
  /** At which clients outside reach the API server. */
  readonly address: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Authentication {
  readonly authenticator: Authenticator;
  readonly bootstrapTokens: BootstrapTokens;
  readonly serviceAccounts: ServiceAccountTokens;
  readonly tokens: { readonly issuer: TokenIssuer; readonly review: TokenReviewOptions };
  /** What others verify tokens by, and the endpoint that rotates the key. */
  readonly extensions: readonly Extension[];
}

const requiredClaims = (list: string | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    namesOf(list).map((entry) => {
      const at = entry.indexOf('=');
      if (at < 1) throw new ClusterError('BadRequest', `--oidc-required-claim: ${entry} is not CLAIM=VALUE`);
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );

/** Throws BadRequest or NotFound, naming the setting. */
const provider = async (
  settings: Settings,
  { clock, log }: Pick<AuthenticationOptions, 'clock' | 'log'>,
): Promise<readonly TokenAuthenticator[]> => {
  const { oidcIssuerUrl: issuer, oidcClientId: clientId, oidcCaFile: caFile } = settings;
  if (issuer === undefined) return [];
  if (!issuer.startsWith('https://') || !URL.canParse(issuer))
    throw new ClusterError('BadRequest', `--oidc-issuer-url: ${issuer} is no https address`);
  if (clientId === undefined)
    throw new ClusterError('BadRequest', '--oidc-client-id is needed with --oidc-issuer-url');
  const ca = caFile === undefined ? undefined : await readOptionalFile(caFile);
  if (caFile !== undefined && ca === undefined)
    throw new ClusterError('NotFound', `--oidc-ca-file: there is no file ${caFile}`);
  return [
    oidcTokens({
      issuer,
      clientId,
      usernameClaim: settings.oidcUsernameClaim,
      usernamePrefix: settings.oidcUsernamePrefix,
      groupsClaim: settings.oidcGroupsClaim,
      groupsPrefix: settings.oidcGroupsPrefix,
      requiredClaims: requiredClaims(settings.oidcRequiredClaim),
      algorithms: namesOf(settings.oidcSigningAlgs),
      fetchJson: jsonFetcher(ca),
      clock,
      log,
    }),
  ];
};

export const createAuthentication = async (options: AuthenticationOptions): Promise<Authentication> => {
  const { settings, registry, address, clock } = options;
  const log = options.log.child({ part: 'authentication' });
  const files = await privateFiles(dataDirectory(settings.dataDir).pki);
  let keys = await openTokenKeys(files);
  const issuer = settings.serviceAccountIssuer;
  const serviceAccounts = new ServiceAccountTokens({
    registry,
    keys: () => keys,
    issuer,
    clock,
    uid: randomIds.uid,
  });
  const bootstrapTokens = new BootstrapTokens({ registry, clock });
  const others = [bootstrapTokens.authenticate, ...(await provider(settings, { clock, log }))];
  const rotate: Extension = {
    prefix: '/capstan/v1/rotate-token-key',
    handle: async ({ method }) => {
      if (method !== 'POST') throw new ClusterError('MethodNotAllowed', 'a key is rotated with POST');
      keys = await rotateTokenKey(files);
      serviceAccounts.forget();
      const body = { key: keys.signing.id, former: keys.verifying.slice(1).map(({ id }) => id) };
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: [Buffer.from(JSON.stringify(body))],
      };
    },
  };
  const server = `https://${address}:${String(settings.apiPort)}`;
  return {
    authenticator: createAuthenticator({
      tokens: [async (token) => (await serviceAccounts.authenticate(token))?.identity, ...others],
      clock,
      log,
    }),
    bootstrapTokens,
    serviceAccounts,
    tokens: {
      issuer: createTokenIssuer({ registry, tokens: serviceAccounts }),
      review: { serviceAccounts, others },
    },
    extensions: [...openIdDocuments({ issuer, server, keys: () => keys }), rotate],
  };
};
