import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthenticator } from '../../../src/apiserver/authenticate.js';
import { createAuthorizer } from '../../../src/apiserver/authorize/authorizer.js';
import { createApiHandler } from '../../../src/apiserver/handler.js';
import { BootstrapTokens } from '../../../src/apiserver/tokens/bootstrap-tokens.js';
import { openIdDocuments } from '../../../src/apiserver/tokens/openid.js';
import { ServiceAccountTokens } from '../../../src/apiserver/tokens/service-account-tokens.js';
import { createTokenIssuer } from '../../../src/apiserver/tokens/token-request.js';
import type { HttpHandler } from '../../../src/base/http.js';
import { silent } from '../../../src/base/log.js';
import { unverifiedClaims } from '../../../src/pki/json-web-token.js';
import { openTokenKeys, rotateTokenKey } from '../../../src/pki/token-keys.js';
import { bootstrapTokenSecret } from '../../../src/resources/bootstrap-token.js';
import type { Secret, ServiceAccount } from '../../../src/resources/generated/types.js';
import { kinds } from '../../../src/resources/kinds.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { rolebindings } from '../../../src/resources/kinds/rolebindings.js';
import { secrets } from '../../../src/resources/kinds/secrets.js';
import { serviceaccounts } from '../../../src/resources/kinds/serviceaccounts.js';
import { memoryFiles } from '../pki/files.js';
import { jsonOf, makeRequest } from './front-request.js';
import type { RequestParts } from './front-request.js';
import { options, setup, turn } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const issuer = 'https://kubernetes.default.svc.cluster.local';
const files = memoryFiles();
const account = { name: 'robot', namespace: 'default' };

let under: TestRegistry;
let handler: HttpHandler;
let serviceAccounts: ServiceAccountTokens;
let bootstrap: BootstrapTokens;
let keys: Awaited<ReturnType<typeof openTokenKeys>>;
const lifetime = new AbortController();

beforeEach(async () => {
  under = await setup();
  const { registry, clock } = under;
  keys = await openTokenKeys(files);
  let count = 0;
  serviceAccounts = new ServiceAccountTokens({
    registry,
    keys: () => keys,
    issuer,
    clock,
    uid: () => `jti-${String((count += 1))}`,
  });
  bootstrap = new BootstrapTokens({ registry, clock });
  const others = [bootstrap.authenticate];
  handler = createApiHandler({
    registry,
    kinds,
    clock,
    log: silent,
    version: '1.2.3',
    authorizer: createAuthorizer({ store: under.store, lifetime: lifetime.signal }),
    authenticator: createAuthenticator({
      tokens: [async (token) => (await serviceAccounts.authenticate(token))?.identity, ...others],
      clock,
      log: silent,
    }),
    tokens: {
      issuer: createTokenIssuer({ registry, tokens: serviceAccounts }),
      review: { serviceAccounts, others },
    },
    extensions: openIdDocuments({ issuer, server: 'https://10.0.0.1:6443', keys: () => keys }),
  });
  await registry.create(serviceaccounts, { metadata: account }, options);
  await registry.create(nodes, { metadata: { name: 'n1' }, spec: {} } as never, options);
  await registry.create(
    pods,
    {
      metadata: { name: 'web', namespace: 'default' },
      spec: { nodeName: 'n1', serviceAccountName: 'robot', containers: [{ name: 'c', image: 'web:1' }] },
    } as never,
    options,
  );
});
afterEach(() => under.close());

const ask = async (path: string, parts: RequestParts = {}): Promise<Record<string, unknown>> =>
  jsonOf(await handler(makeRequest(path, parts)));
const uidOf = async (
  kind: typeof pods | typeof nodes | typeof serviceaccounts,
  name: string,
): Promise<string> =>
  (await under.registry.get(kind, { name, namespace: kind === nodes ? undefined : 'default' })).object
    .metadata.uid;

const request = (
  spec: object,
  certificate: RequestParts['certificate'] = { commonName: 'admin', organizations: ['system:masters'] },
): Promise<Record<string, unknown>> =>
  ask('/api/v1/namespaces/default/serviceaccounts/robot/token', {
    method: 'POST',
    certificate,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec }),
  });
const tokenFor = async (spec: object): Promise<string> =>
  ((await request(spec))['status'] as { token: string }).token;
const bound = { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web' } };

const whoAmI = async (token: string): Promise<Record<string, unknown>> =>
  ask('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    method: 'POST',
    certificate: undefined,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' }),
  });

describe('a token of a service account', () => {
  it('says whose it is and what it is bound to, for an hour and for the API server when nothing is asked', async () => {
    const token = await tokenFor(bound);
    const now = under.clock.now() / 1000;
    expect(unverifiedClaims(token)).toEqual({
      aud: [issuer],
      exp: now + 3600,
      iat: now,
      nbf: now,
      iss: issuer,
      jti: 'jti-1',
      sub: 'system:serviceaccount:default:robot',
      'kubernetes.io': {
        namespace: 'default',
        serviceaccount: { name: 'robot', uid: await uidOf(serviceaccounts, 'robot') },
        pod: { name: 'web', uid: await uidOf(pods, 'web') },
        node: { name: 'n1', uid: await uidOf(nodes, 'n1') },
      },
    });
    expect((await whoAmI(token))['status']).toEqual({
      userInfo: {
        username: 'system:serviceaccount:default:robot',
        uid: await uidOf(serviceaccounts, 'robot'),
        groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
        extra: {
          'authentication.kubernetes.io/credential-id': ['JTI=jti-1'],
          'authentication.kubernetes.io/pod-name': ['web'],
          'authentication.kubernetes.io/pod-uid': [await uidOf(pods, 'web')],
          'authentication.kubernetes.io/node-name': ['n1'],
          'authentication.kubernetes.io/node-uid': [await uidOf(nodes, 'n1')],
        },
      },
    });
  });

  it('gives the rights that roles give its account', async () => {
    const token = await tokenFor({});
    const read = () =>
      ask('/api/v1/namespaces/default/pods/web', {
        certificate: undefined,
        headers: { authorization: `Bearer ${token}` },
      });
    expect(await read()).toMatchObject({ code: 403 });
    await under.registry.create(
      rolebindings,
      {
        metadata: { name: 'robots', namespace: 'default' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ kind: 'ServiceAccount', ...account }],
      } as never,
      options,
    );
    await turn();
    expect(await read()).toMatchObject({ kind: 'Pod' });
  });

  it('dies with its pod, with its account, and at its end', async () => {
    const forPod = await tokenFor(bound);
    const forAccount = await tokenFor({});
    await under.registry.delete(
      pods,
      { name: 'web', namespace: 'default' },
      { gracePeriodSeconds: 0 },
      options,
    );
    expect(await whoAmI(forPod)).toMatchObject({
      code: 401,
      message: expect.stringContaining('has ended with its Pod default/web, which is gone') as string,
    });
    expect(await whoAmI(forAccount)).toHaveProperty('status.userInfo');
    await under.clock.advance(3_700_000);
    expect(await whoAmI(forAccount)).toMatchObject({
      code: 401,
      message: expect.stringContaining('it has expired') as string,
    });
    const fresh = await tokenFor({});
    await under.registry.delete(serviceaccounts, account, {}, options);
    await under.registry.create(serviceaccounts, { metadata: account }, options);
    expect(await whoAmI(fresh)).toMatchObject({
      code: 401,
      message: expect.stringContaining('which is another one now') as string,
    });
  });

  it('is for its audience only', async () => {
    const token = await tokenFor({ audiences: ['vault'] });
    expect(await whoAmI(token)).toMatchObject({
      code: 401,
      message: expect.stringContaining('is for vault, not for') as string,
    });
    const review = (spec: object) =>
      ask('/apis/authentication.k8s.io/v1/tokenreviews', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec }),
      });
    expect(await review({ token, audiences: ['vault', 'other'] })).toMatchObject({
      status: {
        authenticated: true,
        audiences: ['vault'],
        user: { username: 'system:serviceaccount:default:robot' },
      },
    });
    const refused = await review({ token });
    expect(refused).toMatchObject({ status: { error: expect.stringContaining('is for vault') as string } });
    expect(refused).not.toHaveProperty('status.authenticated');
    expect(await review({ token: 'nonsense' })).toHaveProperty('status.error');
  });

  it.each([
    [{ expirationSeconds: 599 }, 422, 'may not specify a duration less than 10 minutes'],
    [{ boundObjectRef: { kind: 'Service', apiVersion: 'v1', name: 'a' } }, 422, 'spec.boundObjectRef.kind'],
    [{ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'none' } }, 404, 'pods "none" not found'],
    [
      { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web', uid: 'old' } },
      409,
      'does not match the UID in record',
    ],
  ])('is not given for %j', async (spec, code, message) => {
    expect(await request(spec)).toMatchObject({ code, message: expect.stringContaining(message) as string });
  });

  it('is given to the agent of a node for the pods that run there, bound to them, and for no others', async () => {
    const agent = (name: string) => ({ commonName: `system:node:${name}`, organizations: ['system:nodes'] });
    expect(await request(bound, agent('n1'))).toHaveProperty('status.token');
    expect(await request({}, agent('n1'))).toMatchObject({
      code: 403,
      message: expect.stringContaining('node requested token not bound to a pod') as string,
    });
    expect(await request(bound, agent('n2'))).toMatchObject({ code: 403 });
  });

  it('stays good when the key rotates', async () => {
    const token = await tokenFor({});
    keys = await rotateTokenKey(files);
    serviceAccounts.forget();
    expect(await whoAmI(token)).toHaveProperty('status.userInfo');
    const shown = await ask('/openid/v1/jwks', {
      certificate: { commonName: 'a', organizations: ['system:serviceaccounts'] },
    });
    expect((shown['keys'] as { kid: string }[]).map(({ kid }) => kid)).toEqual(
      keys.verifying.map(({ id }) => id),
    );
  });

  it('in a Secret lives as long as it stands there', async () => {
    const draft = {
      metadata: {
        ...account,
        name: 'robot-token',
        annotations: { 'kubernetes.io/service-account.name': 'robot' },
      },
      type: 'kubernetes.io/service-account-token',
    };
    const secret = (await under.registry.create(secrets, draft, options)).object as Secret;
    const owner = (await under.registry.get(serviceaccounts, account)).object as ServiceAccount;
    const token = await serviceAccounts.issueLegacy(secret, owner);
    expect(await whoAmI(token)).toMatchObject({ code: 401 });
    const data = { token: Buffer.from(token).toString('base64') };
    const name = { name: 'robot-token', namespace: 'default' };
    await under.registry.patch(secrets, name, { type: 'merge', patch: { data } }, options);
    expect(await whoAmI(token)).toHaveProperty(
      'status.userInfo.username',
      'system:serviceaccount:default:robot',
    );
    await under.registry.delete(secrets, name, {}, options);
    expect(await whoAmI(token)).toMatchObject({ code: 401 });
  });
});

describe('discovery of the issuer', () => {
  it('is for service accounts, and names the keys', async () => {
    const robot = {
      commonName: 'system:serviceaccount:default:robot',
      organizations: ['system:serviceaccounts'],
    };
    expect(await ask('/.well-known/openid-configuration', { certificate: robot })).toMatchObject({
      issuer,
      jwks_uri: 'https://10.0.0.1:6443/openid/v1/jwks',
      id_token_signing_alg_values_supported: ['RS256'],
    });
    expect(await ask('/openid/v1/jwks', { certificate: undefined })).toMatchObject({ code: 401 });
  });
});

describe('a bootstrap token as a bearer token', () => {
  const token = {
    id: 'abcdef',
    secret: '0123456789abcdef',
    expires: Date.UTC(2026, 0, 2),
    description: '',
    usages: ['authentication', 'signing'],
    groups: ['system:bootstrappers:rack'],
  };

  it('is its own user in the groups of machines that join', async () => {
    await under.registry.create(secrets, bootstrapTokenSecret(token), options);
    expect(await whoAmI('abcdef.0123456789abcdef')).toMatchObject({
      status: {
        userInfo: {
          username: 'system:bootstrap:abcdef',
          groups: ['system:bootstrappers', 'system:bootstrappers:rack', 'system:authenticated'],
        },
      },
    });
  });

  it.each([
    ['of an unknown id', {}, 'zzzzzz.0123456789abcdef', 'there is no bootstrap token zzzzzz'],
    ['with a wrong secret', {}, 'abcdef.0123456789abcdeg', 'the secret of bootstrap token abcdef is wrong'],
    [
      'that has expired',
      { expires: 0 },
      'abcdef.0123456789abcdef',
      'bootstrap token abcdef expired at 1970-01-01',
    ],
    ['that may only sign', { usages: ['signing'] }, 'abcdef.0123456789abcdef', 'is not for authentication'],
  ])('%s is refused with the reason', async (_, change, sent, message) => {
    await under.registry.create(secrets, bootstrapTokenSecret({ ...token, ...change }), options);
    expect(await whoAmI(sent)).toMatchObject({
      code: 401,
      message: expect.stringContaining(message) as string,
    });
  });

  it('that was removed when it expired is remembered as such', async () => {
    const { object } = await under.registry.create(
      secrets,
      bootstrapTokenSecret({ ...token, expires: 1 }),
      options,
    );
    bootstrap.removed(object);
    await under.registry.delete(
      secrets,
      { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      {},
      options,
    );
    expect(await whoAmI('abcdef.0123456789abcdef')).toMatchObject({
      message: expect.stringContaining('bootstrap token abcdef expired at') as string,
    });
  });
});

describe('who presents nothing', () => {
  it.each([
    ['/healthz', 200],
    ['/livez', 200],
    ['/readyz', 200],
    ['/version', 200],
    ['/api', 401],
    ['/apis', 401],
    ['/openapi/v2', 401],
    ['/metrics', 401],
    ['/api/v1/namespaces/kube-public/configmaps', 401],
    ['/api/v1/namespaces/default/pods/web', 401],
    ['/nothing', 401],
  ])('gets %s with %i', async (path, code) => {
    const response = await handler(makeRequest(path, { certificate: undefined }));
    expect(response.status).toBe(code);
  });

  it.each(['Basic YTpi', 'Bearer', 'Bearer a b', 'bearer nonsense'])(
    'is refused with %s',
    async (authorization) => {
      const response = await handler(
        makeRequest('/api', { certificate: undefined, headers: { authorization } }),
      );
      expect(response.status).toBe(401);
    },
  );
});
