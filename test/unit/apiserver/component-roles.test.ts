import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthorizer } from '../../../src/apiserver/authorize/authorizer.js';
import type { Authorizer } from '../../../src/apiserver/authorize/authorizer.js';
import { authorizedCluster } from '../../../src/apiserver/authorized-cluster.js';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import type { Identity } from '../../../src/base/http.js';
import type { Cluster } from '../../../src/client/cluster.js';
import { identities, nodeIdentity } from '../../../src/process/identities.js';
import { certificatesigningrequests } from '../../../src/resources/kinds/certificatesigningrequests.js';
import { clusterrolebindings } from '../../../src/resources/kinds/clusterrolebindings.js';
import { clusterroles } from '../../../src/resources/kinds/clusterroles.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { leases } from '../../../src/resources/kinds/leases.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { secrets } from '../../../src/resources/kinds/secrets.js';
import { bootstrap } from '../../../src/apiserver/bootstrap.js';
import { options, setup, turn } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

let under: TestRegistry;
let authorizer: Authorizer;
const lifetime = new AbortController();

beforeEach(async () => {
  under = await setup({ authorized: true });
  authorizer = createAuthorizer({ store: under.store, lifetime: lifetime.signal });
  await under.registry.create(
    secrets,
    { metadata: { name: 's', namespace: 'default' }, stringData: { a: 'b' } } as never,
    { ...options, identity: { user: 'root', groups: ['system:masters'] } },
  );
});
afterEach(() => under.close());

const as = (identity: Identity): Cluster =>
  authorizedCluster(createLocalCluster(under.registry, identity), { authorizer, identity });
const outcome = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
const pod = (name: string, spec: object = {}) => ({
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'web:1' }], ...spec },
});

describe('the parts of the daemon', () => {
  it('are all known by names of their own, and none is a master', () => {
    const users = Object.values(identities).map(({ user }) => user);
    expect(new Set(users).size).toBe(users.length);
    for (const { groups } of Object.values(identities)) expect(groups).not.toContain('system:masters');
  });

  it('the scheduler binds pods, and reads no Secrets', async () => {
    const scheduler = as(identities.scheduler);
    const controllers = as(identities.controllers);
    await controllers.create(nodes, { metadata: { name: 'n1' }, spec: {} });
    const made = await controllers.create(pods, pod('web'));
    expect(await outcome(scheduler.bind({ ...made.metadata }, 'n1'))).toBe('done');
    expect(await outcome(scheduler.list(pods))).toBe('done');
    expect(await outcome(scheduler.get(secrets, { name: 's', namespace: 'default' }))).toBe('Forbidden');
    expect(await outcome(scheduler.list(secrets))).toBe('Forbidden');
    expect(await outcome(scheduler.create(pods, pod('mine')))).toBe('Forbidden');
    const watch = scheduler.watch(secrets, { resourceVersion: '0' }, lifetime.signal)[Symbol.asyncIterator]();
    expect(await outcome(watch.next())).toBe('Forbidden');
  });

  it('the controllers write what they control, and neither rights, nor Secrets, nor certificates', async () => {
    const controllers = as(identities.controllers);
    expect(await outcome(controllers.list(secrets))).toBe('done');
    expect(await outcome(controllers.create(pods, pod('a')))).toBe('done');
    expect(await outcome(controllers.delete(pods, { name: 'a', namespace: 'default' }))).toBe('done');
    const name = { name: 's', namespace: 'default' };
    expect(await outcome(controllers.patch(secrets, name, { type: 'merge', patch: { data: {} } }))).toBe(
      'Forbidden',
    );
    expect(await outcome(controllers.delete(clusterroles, { name: 'view' }))).toBe('Forbidden');
    expect(
      await outcome(
        controllers.patch(
          certificatesigningrequests,
          { name: 'x' },
          { type: 'merge', patch: {} },
          { subresource: 'approval' },
        ),
      ),
    ).toBe('Forbidden');
  });

  it('what cleans up deletes objects of every kind, and makes none', async () => {
    const sweeper = as(identities.sweeper);
    expect(await outcome(sweeper.delete(secrets, { name: 's', namespace: 'default' }))).toBe('done');
    expect(await outcome(sweeper.create(pods, pod('a')))).toBe('Forbidden');
  });

  it('what signs reads no Secrets; what cares for tokens approves nothing', async () => {
    expect(await outcome(as(identities.certificates).list(secrets))).toBe('Forbidden');
    expect(await outcome(as(identities.certificates).list(certificatesigningrequests))).toBe('done');
    expect(await outcome(as(identities.tokens).list(secrets))).toBe('done');
    expect(await outcome(as(identities.tokens).list(certificatesigningrequests))).toBe('Forbidden');
    const other = { metadata: { name: 'other', namespace: 'kube-public' }, data: {} };
    expect(await outcome(as(identities.tokens).create(configmaps, other))).toBe('Forbidden');
  });

  it('the Git loop writes whatever is pushed, roles and their bindings too', async () => {
    const gitops = as(identities.gitops);
    const role = {
      metadata: { name: 'mine' },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
    };
    expect(await outcome(gitops.create(clusterroles, role))).toBe('done');
    await turn();
    const binding = {
      metadata: { name: 'mine' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'mine' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'ada' }],
    };
    expect(await outcome(gitops.create(clusterrolebindings, binding))).toBe('done');
  });

  it('a simulated node is a node like all others: its own Lease, and no Secret of pods elsewhere', async () => {
    const node = as(nodeIdentity('hollow-0'));
    const lease = (name: string) => ({ metadata: { name, namespace: 'kube-node-lease' }, spec: {} });
    expect(await outcome(node.create(leases, lease('hollow-0')))).toBe('done');
    expect(await outcome(node.create(leases, lease('hollow-1')))).toBe('Forbidden');
    expect(await outcome(node.get(secrets, { name: 's', namespace: 'default' }))).toBe('Forbidden');
  });

  it('get the rights of this version at its start, unless an annotation says that theirs are kept', async () => {
    const master = { ...options, identity: { user: 'root', groups: ['system:masters'] } };
    const rules = async (name: string) =>
      ((await under.registry.get(clusterroles, { name })).object as unknown as { rules: unknown[] }).rules
        .length;
    const patch = (name: string, change: object) =>
      under.registry.patch(clusterroles, { name }, { type: 'merge', patch: change }, master);
    const before = await rules('system:kube-scheduler');
    await patch('system:kube-scheduler', { rules: [] });
    await patch('system:capstan:gitops', {
      rules: [],
      metadata: { annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
    });
    await bootstrap(under.registry, { serviceCidr: '10.96.0.0/16', apiPort: 6443 });
    expect(await rules('system:kube-scheduler')).toBe(before);
    expect(await rules('system:capstan:gitops')).toBe(0);
  });
});
