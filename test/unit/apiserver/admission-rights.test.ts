import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Identity } from '../../../src/base/http.js';
import type { PolicyRule } from '../../../src/resources/generated/types.js';
import type { Kind } from '../../../src/resources/kind.js';
import { clusterroles } from '../../../src/resources/kinds/clusterroles.js';
import { leases } from '../../../src/resources/kinds/leases.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { rolebindings } from '../../../src/resources/kinds/rolebindings.js';
import { roles } from '../../../src/resources/kinds/roles.js';
import type { Draft } from '../../../src/resources/resource.js';
import { setup, turn } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const namespace = 'default';
const root: Identity = { user: 'root', groups: ['system:masters'] };
const ada: Identity = { user: 'ada', groups: ['dev'] };
let test: TestRegistry;
beforeEach(async () => {
  test = await setup({ authorized: true });
});
afterEach(() => test.close());

const create = async (identity: Identity, kind: Kind, draft: object): Promise<void> => {
  await test.registry.create(kind, draft as Draft, { identity });
  await turn();
};
const rbac = 'rbac.authorization.k8s.io';
const bind = (identity: Identity, kind: string, name: string, user = 'eve'): Promise<void> =>
  create(identity, rolebindings, {
    metadata: { generateName: 'b-', namespace },
    roleRef: { apiGroup: rbac, kind, name },
    subjects: [{ apiGroup: rbac, kind: 'User', name: user }],
  });
const define = (identity: Identity, name: string, ...rules: PolicyRule[]): Promise<void> =>
  create(identity, roles, { metadata: { name, namespace }, rules });

describe('whoever gives rights', () => {
  const reads: PolicyRule = { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get'] };

  it('must hold them', async () => {
    await bind(root, 'ClusterRole', 'view', 'ada');
    await define(ada, 'reader', reads);
    await bind(ada, 'Role', 'reader');
    await bind(ada, 'ClusterRole', 'view');
    await expect(define(ada, 'more', { ...reads, resources: ['pods', 'secrets'] })).rejects.toThrow(
      'roles.rbac.authorization.k8s.io "more" is forbidden: user "ada" (groups=["dev"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
    );
    await expect(bind(ada, 'ClusterRole', 'cluster-admin')).rejects.toThrow(
      'is attempting to grant RBAC permissions not currently held:\n{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}',
    );
    await expect(bind(ada, 'Role', 'none')).rejects.toThrow('"none" not found');
    const widened = test.registry.patch(
      roles,
      { name: 'reader', namespace },
      { type: 'merge', patch: { rules: [{ ...reads, verbs: ['*'] }] } },
      { identity: ada },
    );
    await expect(widened).rejects.toThrow('Verbs:["*"]');
    await expect(
      create(ada, clusterroles, { metadata: { name: 'wide' }, rules: [{ ...reads, verbs: ['get'] }] }),
    ).rejects.toThrow('not currently held');
  });

  it('may also have the right to bind or to escalate', async () => {
    await define(
      root,
      'keeper',
      { apiGroups: [rbac], resources: ['roles'], verbs: ['escalate'] },
      { apiGroups: [rbac], resources: ['clusterroles'], resourceNames: ['edit'], verbs: ['bind'] },
    );
    await bind(root, 'Role', 'keeper', 'ada');
    await define(ada, 'any', { ...reads, verbs: ['*'] });
    await bind(ada, 'ClusterRole', 'edit');
    await expect(bind(ada, 'ClusterRole', 'admin')).rejects.toThrow('not currently held');
  });
});

describe('an agent', () => {
  const n1: Identity = { user: 'system:node:n1', groups: ['system:nodes'] };
  const call = { identity: n1 };
  const pod = (name: string, nodeName: string): Promise<void> =>
    create(root, pods, {
      metadata: { name, namespace },
      spec: { nodeName, containers: [{ name: 'main', image: 'web:1' }] },
    });

  it('writes its own Node and Lease only', async () => {
    await create(n1, nodes, { metadata: { name: 'n1' }, spec: {} });
    await expect(create(n1, nodes, { metadata: { name: 'n2' }, spec: {} })).rejects.toThrow(
      'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    );
    const patched = (patch: object): Promise<unknown> =>
      test.registry.patch(nodes, { name: 'n1' }, { type: 'merge', patch }, call);
    await patched({ metadata: { labels: { zone: 'a' } } });
    await expect(patched({ spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } })).rejects.toThrow(
      'not allowed to modify taints',
    );
    await expect(
      patched({ metadata: { labels: { 'node-restriction.kubernetes.io/secure': 'yes' } } }),
    ).rejects.toThrow('not allowed to modify labels');
    const lease = (name: string, where: string): Promise<void> =>
      create(n1, leases, { metadata: { name, namespace: where }, spec: {} });
    await lease('n1', 'kube-node-lease');
    await expect(lease('n2', 'kube-node-lease')).rejects.toThrow('can only access node lease');
    await expect(lease('n1', namespace)).rejects.toThrow('can only access node lease');
  });

  it('tells of its own pods only, and ends no others', async () => {
    await pod('mine', 'n1');
    await pod('other', 'n2');
    const tell = async (name: string): Promise<unknown> => {
      const { object } = await test.registry.get(pods, { name, namespace });
      const draft = { ...object, status: { phase: 'Running' } } as Draft;
      return test.registry.update(pods, { name, namespace }, draft, { ...call, subresource: 'status' });
    };
    await tell('mine');
    await expect(tell('other')).rejects.toThrow(
      'pods "other" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
    );
    const end = (name: string): Promise<unknown> =>
      test.registry.delete(pods, { name, namespace }, { gracePeriodSeconds: 0 }, call);
    await end('mine');
    await expect(end('other')).rejects.toThrow('can only delete pods');
    await expect(test.registry.evict({ name: 'other', namespace }, {}, call)).rejects.toThrow(
      'can only delete pods',
    );
    await expect(
      create(n1, pods, {
        metadata: { name: 'new', namespace },
        spec: { containers: [{ name: 'a', image: 'b' }] },
      }),
    ).rejects.toThrow('node "n1" can only create mirror pods');
  });
});
