// How others verify the tokens of service accounts: OpenID discovery and the key set.
// https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
import { ClusterError } from '../../base/errors.js';
import type { Extension, HttpResponse } from '../../base/http.js';
import { keySet, type TokenKeys } from '../../pki/token-keys.js';
import { utf8 } from '../respond.js';

export const discoveryPath = '/.well-known/openid-configuration';
export const keySetPath = '/openid/v1/jwks';

export interface OpenIdOptions {
  readonly issuer: string;
  /** `https://10.0.0.1:6443`. */
  readonly server: string;
  readonly keys: () => TokenKeys;
}

const cacheSeconds = 3600;

const document = (type: string, value: unknown): HttpResponse => ({
  status: 200,
  headers: { 'content-type': type, 'cache-control': `public, max-age=${String(cacheSeconds)}` },
  body: [utf8(JSON.stringify(value))],
});

const only = (prefix: string, answer: () => Promise<HttpResponse>): Extension => ({
  prefix,
  handle: async ({ method, path }) => {
    if (path !== prefix && path !== `${prefix}/`)
      throw new ClusterError('NotFound', 'the server could not find the requested resource');
    if (method !== 'GET' && method !== 'HEAD')
      throw new ClusterError('MethodNotAllowed', 'this document can only be read');
    return answer();
  },
});

export const openIdDocuments = ({ issuer, server, keys }: OpenIdOptions): readonly Extension[] => [
  only(discoveryPath, () =>
    Promise.resolve(
      document('application/json', {
        issuer,
        jwks_uri: `${server}${keySetPath}`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [
          ...new Set(keys().verifying.map(({ algorithm }) => algorithm)),
        ],
      }),
    ),
  ),
  only(keySetPath, async () => document('application/jwk-set+json', await keySet(keys()))),
];
