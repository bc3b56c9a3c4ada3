import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthorizer } from '../../../src/apiserver/authorize/authorizer.js';
import type { Authorizer } from '../../../src/apiserver/authorize/authorizer.js';
import type { ResourceAttributes } from '../../../src/apiserver/authorize/attributes.js';
import { createApiHandler } from '../../../src/apiserver/handler.js';
import type { HttpHandler, Identity } from '../../../src/base/http.js';
import { silent } from '../../../src/base/log.js';
import { kinds } from '../../../src/resources/kinds.js';
import { clusterrolebindings } from '../../../src/resources/kinds/clusterrolebindings.js';
import { clusterroles } from '../../../src/resources/kinds/clusterroles.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { rolebindings } from '../../../src/resources/kinds/rolebindings.js';
import { roles } from '../../../src/resources/kinds/roles.js';
import type { PolicyRule } from '../../../src/resources/generated/types.js';
import type { Kind } from '../../../src/resources/kind.js';
import type { Draft } from '../../../src/resources/resource.js';
import { jsonOf, makeRequest } from './front-request.js';
import { options, setup, turn } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

let under: TestRegistry;
let authorizer: Authorizer;
let handler: HttpHandler;
const lifetime = new AbortController();

beforeEach(async () => {
  under = await setup();
  authorizer = createAuthorizer({ store: under.store, lifetime: lifetime.signal });
  handler = createApiHandler({
    registry: under.registry,
    kinds,
    clock: under.clock,
    log: silent,
    version: '1.2.3',
    authorizer,
  });
});
afterEach(() => under.close());

const rbac = 'rbac.authorization.k8s.io';
const make = async (kind: Kind, draft: object): Promise<void> => {
  await under.registry.create(kind, draft as Draft, options);
  await turn();
};
const grantEverywhere = (name: string, subject: object): Promise<void> =>
  make(clusterrolebindings, {
    metadata: { generateName: 'b-' },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: [subject],
  });
const grantWithin = (namespace: string, roleRef: object, ...subjects: object[]): Promise<void> =>
  make(rolebindings, {
    metadata: { generateName: 'b-', namespace },
    roleRef: { apiGroup: rbac, ...roleRef },
    subjects,
  });
const role = (name: string, ...rules: PolicyRule[]): Promise<void> =>
  make(roles, { metadata: { name, namespace: 'default' }, rules });

const ada: Identity = { user: 'ada', groups: ['system:authenticated'] };
const user = (name: string): object => ({ apiGroup: rbac, kind: 'User', name });

/** `get pods/log web in default`, `list deployments.apps`: what is wanted, in words. */
const wanted = (words: string): ResourceAttributes => {
  const [what = '', namespace = ''] = words.split(' in ');
  const [verb = '', target = '', name = ''] = what.split(' ');
  const [resource = '', subresource = ''] = target.split('/');
  const [plural = '', ...group] = resource.split('.');
  return { type: 'resource', verb, group: group.join('.'), resource: plural, subresource, namespace, name };
};
const can = (who: Identity, words: string): boolean => authorizer.authorize(who, wanted(words)).allowed;

describe('roles', () => {
  it.each<[PolicyRule, string, boolean]>([
    [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }, 'get pods web', true],
    [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }, 'list pods', false],
    [{ apiGroups: [''], resources: ['pods'], verbs: ['*'] }, 'delete pods web', true],
    [{ apiGroups: [''], resources: ['pods'], verbs: ['*'] }, 'get pods/log web', false],
    [{ apiGroups: [''], resources: ['pods/log'], verbs: ['get'] }, 'get pods/log web', true],
    [{ apiGroups: [''], resources: ['pods/log'], verbs: ['get'] }, 'get pods web', false],
    [{ apiGroups: ['*'], resources: ['*/scale'], verbs: ['get'] }, 'get deployments.apps/scale web', true],
    [{ apiGroups: ['*'], resources: ['*/scale'], verbs: ['get'] }, 'get deployments.apps web', false],
    [{ apiGroups: ['apps'], resources: ['*'], verbs: ['get'] }, 'get deployments.apps/status web', true],
    [{ apiGroups: [''], resources: ['*'], verbs: ['get'] }, 'get deployments.apps web', false],
    [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['a'], verbs: ['get'] },
      'get secrets a',
      true,
    ],
    [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['a'], verbs: ['get'] },
      'get secrets b',
      false,
    ],
    [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['a'], verbs: ['list'] },
      'list secrets',
      false,
    ],
  ])('%j on "%s": %s', async (rule, words, allowed) => {
    await role('r', rule);
    await grantWithin('default', { kind: 'Role', name: 'r' }, user('ada'));
    expect(can(ada, `${words} in default`)).toBe(allowed);
    expect(can(ada, `${words} in kube-system`)).toBe(false);
    expect(can(ada, words)).toBe(false);
    expect(can({ user: 'bob', groups: ['ada'] }, `${words} in default`)).toBe(false);
  });

  it('reach groups and service accounts, and say why', async () => {
    await grantWithin(
      'default',
      { kind: 'ClusterRole', name: 'view' },
      { apiGroup: rbac, kind: 'Group', name: 'ops' },
      { kind: 'ServiceAccount', name: 'bot', namespace: 'kube-system' },
    );
    expect(can({ user: 'x', groups: ['ops'] }, 'list pods in default')).toBe(true);
    const bot = { user: 'system:serviceaccount:kube-system:bot', groups: [] };
    expect(authorizer.authorize(bot, wanted('list pods in default')).reason).toMatch(
      /^RBAC: allowed by RoleBinding "b-\w+\/default" of ClusterRole "view" to ServiceAccount "bot\/kube-system"$/,
    );
    expect(can({ user: 'system:serviceaccount:default:bot', groups: [] }, 'list pods in default')).toBe(
      false,
    );
  });

  it('end with their binding', async () => {
    await grantEverywhere('view', user('ada'));
    expect(can(ada, 'list nodes')).toBe(false);
    expect(can(ada, 'list pods in any')).toBe(true);
    const { items } = await under.registry.list(clusterrolebindings, {});
    const mine = items.find(({ object }) => object.metadata.name.startsWith('b-'));
    await under.registry.delete(clusterrolebindings, { name: mine?.object.metadata.name ?? '' }, {}, options);
    await turn();
    expect(can(ada, 'list pods in any')).toBe(false);
  });

  it('aggregate: edit has what view has, and what is labelled later', async () => {
    await grantEverywhere('admin', user('ada'));
    for (const words of [
      'list pods',
      'create deployments.apps',
      'get secrets a',
      'create rolebindings.' + rbac,
    ])
      expect(can(ada, `${words} in default`), words).toBe(true);
    expect(can(ada, 'get rockets.space a in default')).toBe(false);
    await make(clusterroles, {
      metadata: { name: 'rockets', labels: { [`${rbac}/aggregate-to-view`]: 'true' } },
      rules: [{ apiGroups: ['space'], resources: ['rockets'], verbs: ['get'] }],
    });
    expect(can(ada, 'get rockets.space a in default')).toBe(true);
  });

  it('are answered within 20 microseconds', async () => {
    for (let count = 0; count < 50; count += 1) await grantEverywhere('view', user(`u${String(count)}`));
    await grantWithin('default', { kind: 'ClusterRole', name: 'admin' }, user('ada'));
    const question = wanted('get secrets a in default');
    for (let count = 0; count < 2000; count += 1) authorizer.authorize(ada, question);
    const start = performance.now();
    for (let count = 0; count < 5000; count += 1) authorizer.authorize(ada, question);
    expect(((performance.now() - start) * 1000) / 5000).toBeLessThan(20);
  });
});

describe('agents', () => {
  const agent = (name: string): Identity => ({ user: `system:node:${name}`, groups: ['system:nodes'] });
  const pod = (name: string, node: string, secretName: string): Promise<void> =>
    make(pods, {
      metadata: { name, namespace: 'default' },
      spec: {
        nodeName: node,
        containers: [{ name: 'main', image: 'web:1', envFrom: [{ configMapRef: { name: `${name}-env` } }] }],
        volumes: [{ name: 'keys', secret: { secretName } }],
        imagePullSecrets: [{ name: 'registry' }],
      },
    });

  it.each([
    ['get secrets keys in default', true],
    ['watch secrets keys in default', true],
    ['get secrets registry in default', true],
    ['get configmaps web-env in default', true],
    ['get secrets other in default', false],
    ['get configmaps far-env in default', false],
    ['list secrets in default', false],
    ['update secrets keys in default', false],
    ['get secrets keys in kube-system', false],
    ['get pods web in default', true],
    ['get pods far in default', false],
    ['list pods in default', false],
    ['update pods/status web in default', true],
    ['update pods web in default', false],
    ['get leases.coordination.k8s.io n1 in kube-node-lease', true],
    ['patch leases.coordination.k8s.io n2 in kube-node-lease', false],
    ['get leases.coordination.k8s.io n1 in default', false],
    ['list services', true],
    ['list endpointslices.discovery.k8s.io', true],
    ['create events in default', true],
    ['create deployments.apps in default', false],
    ['create serviceaccounts/token default in default', true],
    ['create serviceaccounts/token other in default', false],
  ])('%s: %s', async (words, allowed) => {
    await pod('web', 'n1', 'keys');
    await pod('far', 'n2', 'other');
    expect(can(agent('n1'), words)).toBe(allowed);
    expect(can({ ...agent('n1'), groups: [] }, words)).toBe(false);
  });

  it('list the pods of their own node only', () => {
    const own = { ...wanted('list pods'), fieldSelector: 'spec.nodeName=n1' };
    expect(authorizer.authorize(agent('n1'), own).allowed).toBe(true);
    expect(authorizer.authorize(agent('n2'), own)).toEqual({
      allowed: false,
      reason: 'can only list/watch pods with spec.nodeName field selector',
    });
  });
});

describe('over HTTP', () => {
  const ask = (url: string, parts: Parameters<typeof makeRequest>[1] = {}) =>
    handler(makeRequest(url, { certificate: { commonName: 'ada', organizations: ['dev'] }, ...parts }));
  const post = (url: string, body: object, parts: Parameters<typeof makeRequest>[1] = {}) =>
    ask(url, {
      method: 'POST',
      body: JSON.stringify(body),
      ...parts,
      headers: { 'content-type': 'application/json', ...parts.headers },
    });
  const reviews = '/apis/authorization.k8s.io/v1';

  it.each([
    [
      '/api/v1/namespaces/default/pods',
      'pods is forbidden: User "ada" cannot list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      '/api/v1/namespaces/default/pods?watch=1',
      'pods is forbidden: User "ada" cannot watch resource "pods" in API group "" in the namespace "default"',
    ],
    [
      '/apis/apps/v1/namespaces/n/deployments/web/scale',
      'deployments.apps "web" is forbidden: User "ada" cannot get resource "deployments/scale" in API group "apps" in the namespace "n"',
    ],
    [
      '/api/v1/nodes',
      'nodes is forbidden: User "ada" cannot list resource "nodes" in API group "" at the cluster scope',
    ],
    [
      '/api/v1/namespaces/n',
      'namespaces "n" is forbidden: User "ada" cannot get resource "namespaces" in API group "" in the namespace "n"',
    ],
    ['/capstan/v1/plan', 'forbidden: User "ada" cannot get path "/capstan/v1/plan"'],
  ])('%s is refused in the words of Kubernetes', async (url, message) => {
    const response = await ask(url);
    expect(response.status).toBe(403);
    expect(await jsonOf(response)).toMatchObject({ reason: 'Forbidden', code: 403, message });
  });

  it('shows everyone who is known what there is', async () => {
    for (const url of ['/api', '/apis', '/apis/apps/v1', '/openapi/v2', '/version'])
      expect((await ask(url)).status, url).toBe(200);
    expect((await ask('/api', { certificate: undefined })).status).toBe(401);
    const { resources } = (await jsonOf(await ask(reviews))) as {
      resources: { name: string; namespaced: boolean; verbs: string[] }[];
    };
    expect(
      resources.map(({ name, namespaced, verbs }) => `${name} ${String(namespaced)} ${verbs.join()}`),
    ).toEqual([
      'selfsubjectaccessreviews false create',
      'subjectaccessreviews false create',
      'localsubjectaccessreviews true create',
      'selfsubjectrulesreviews false create',
    ]);
  });

  it('answers questions about rights', async () => {
    await grantWithin('default', { kind: 'ClusterRole', name: 'view' }, user('ada'));
    const self = async (resourceAttributes: object): Promise<unknown> =>
      (await jsonOf(await post(`${reviews}/selfsubjectaccessreviews`, { spec: { resourceAttributes } })))[
        'status'
      ];
    expect(await self({ verb: 'get', resource: 'pods', namespace: 'default' })).toMatchObject({
      allowed: true,
    });
    expect(await self({ verb: 'get', resource: 'secrets', namespace: 'default' })).toEqual({
      allowed: false,
    });
    const rules = await jsonOf(
      await post(`${reviews}/selfsubjectrulesreviews`, { spec: { namespace: 'default' } }),
    );
    expect(JSON.stringify(rules['status'])).toContain('"pods/log"');
    const about = { spec: { user: 'ada', resourceAttributes: { verb: 'get', resource: 'pods' } } };
    expect((await post(`${reviews}/subjectaccessreviews`, about)).status).toBe(403);
    const admin = { certificate: { commonName: 'root', organizations: ['system:masters'] } };
    expect(await jsonOf(await post(`${reviews}/subjectaccessreviews`, about, admin))).toMatchObject({
      status: { allowed: false },
    });
    const me = await jsonOf(await post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {}));
    expect(me['status']).toEqual({ userInfo: { username: 'ada', groups: ['dev', 'system:authenticated'] } });
    expect((await post(`${reviews}/selfsubjectaccessreviews`, { spec: {} })).status).toBe(422);
    expect(
      (await ask(`${reviews}/selfsubjectaccessreviews`, { certificate: admin.certificate })).status,
    ).toBe(405);
  });

  it('lets those act as others who have the right to', async () => {
    const headers = { 'impersonate-user': 'eve', 'impersonate-group': 'dev, ops' };
    const refused = await ask('/api', { headers });
    expect(await jsonOf(refused)).toMatchObject({
      code: 403,
      message:
        'users "eve" is forbidden: User "ada" cannot impersonate resource "users" in API group "" at the cluster scope',
    });
    const certificate = { commonName: 'root', organizations: ['system:masters'] };
    const me = await post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { headers, certificate });
    expect((await jsonOf(me))['status']).toEqual({
      userInfo: { username: 'eve', groups: ['dev', 'ops', 'system:authenticated'] },
    });
    const denied = await ask('/api/v1/nodes', { headers, certificate });
    expect((await jsonOf(denied))['message']).toContain('User "eve" cannot list resource "nodes"');
  });
});
