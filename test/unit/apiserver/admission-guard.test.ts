// What Git says, only Git changes; and pods are held to the standard of their namespace.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { admissionPlugins } from '../../../src/apiserver/admission/plugins.js';
import { createAuthorizer } from '../../../src/apiserver/authorize/authorizer.js';
import { bootstrap } from '../../../src/apiserver/bootstrap.js';
import type { CallOptions, Registry } from '../../../src/apiserver/registry.js';
import { createRegistry } from '../../../src/apiserver/store-registry.js';
import { silent } from '../../../src/base/log.js';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { breakGlassOf } from '../../../src/resources/break-glass.js';
import { applications } from '../../../src/resources/kinds/applications.js';
import { clusterrolebindings } from '../../../src/resources/kinds/clusterrolebindings.js';
import { clusterroles } from '../../../src/resources/kinds/clusterroles.js';
import { deployments } from '../../../src/resources/kinds/deployments.js';
import { namespaces } from '../../../src/resources/kinds/namespaces.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import type { Draft } from '../../../src/resources/resource.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { MvccStore } from '../../../src/store/mvcc-store.js';
import { createRandom } from '../../contract/random.js';
import { idsFrom } from './verbs-setup.js';

let registry: Registry;
let store: MvccStore;
let warnings: string[];
const lifetime = new AbortController();
const serviceCidr = '10.96.0.0/16';

const as = (user: string, groups: readonly string[] = []): CallOptions => ({
  identity: { user, groups },
  fieldManager: user,
  warn: (message) => warnings.push(message),
});
const git = as('system:capstan:gitops', ['system:masters']);

beforeEach(async () => {
  warnings = [];
  store = new MvccStore(new MemoryEngine());
  const clock = new ManualClock();
  const authorizer = createAuthorizer({ store, lifetime: lifetime.signal });
  const admission = admissionPlugins({
    store,
    serviceCidr,
    lifetime: lifetime.signal,
    authorizer,
    guard: { clock },
  });
  registry = createRegistry({ store, clock, ids: idsFrom(createRandom(1)), admission, log: silent });
  await bootstrap(registry, { serviceCidr, apiPort: 6443 });
});
afterEach(() => store.close());

const name = { name: 'web', namespace: 'default' };

const publish = async (spec: object = { replicas: 2 }): Promise<void> => {
  await registry.create(
    applications,
    { metadata: { name: 'shop' }, spec: { path: 'apps/shop' } } as Draft,
    git,
  );
  await registry.create(
    clusterroles,
    {
      metadata: { name: 'glass' },
      rules: [{ apiGroups: ['capstan.dev'], resources: ['applications'], verbs: ['break-glass'] }],
    } as Draft,
    git,
  );
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'olga' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'glass' };
  await registry.create(
    clusterrolebindings,
    { metadata: { name: 'glass' }, roleRef, subjects } as Draft,
    git,
  );
  const object = {
    metadata: { ...name, labels: { 'capstan.dev/application': 'shop' } },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: 'web:1' }] },
      },
      ...spec,
    },
  };
  await registry.patch(
    deployments,
    name,
    { type: 'apply', object, force: true },
    { ...git, fieldManager: 'capstan' },
  );
};

const patch = (body: object, options: CallOptions, subresource?: 'scale' | 'status') =>
  registry.patch(deployments, name, { type: 'merge', patch: body }, { ...options, subresource });

describe('an object of an application', () => {
  it('is not written by people, who are told where to commit', async () => {
    await publish();
    await expect(patch({ spec: { paused: true } }, as('ann'))).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringMatching(
        /belongs to application shop .* change it in apps\/shop of the cluster repository, commit and push/,
      ) as string,
    });
    await expect(patch({ spec: { replicas: 5 } }, as('ann'), 'scale')).rejects.toMatchObject({
      code: 'Forbidden',
    });
    await expect(registry.delete(deployments, name, {}, as('ann'))).rejects.toMatchObject({
      code: 'Forbidden',
    });
    await expect(
      patch({ metadata: { labels: { 'capstan.dev/application': null } } }, as('ann')),
    ).rejects.toMatchObject({ code: 'Forbidden' });
  });

  it('may be restarted and annotated, and scaled where Git says nothing of replicas', async () => {
    await publish({});
    const annotations = { 'kubectl.kubernetes.io/restartedAt': '2025-01-01T00:00:00Z' };
    await patch({ spec: { template: { metadata: { annotations } } } }, as('ann'));
    await patch({ metadata: { annotations: { note: 'x' } } }, as('ann'));
    await patch({ spec: { replicas: 5 } }, as('ann'), 'scale');
    await patch({ status: { replicas: 1 } }, as('ann'), 'status');
    expect(warnings).toEqual([]);
  });

  it('may be completed by programs, in what Git does not say', async () => {
    await publish();
    const operator = as('system:serviceaccount:ops:robot', ['system:serviceaccounts']);
    await patch({ spec: { minReadySeconds: 3 } }, operator);
    await expect(patch({ spec: { replicas: 9 } }, operator)).rejects.toMatchObject({ code: 'Forbidden' });
  });

  it('is changed without a reason too, but told that it does not stay', async () => {
    await publish();
    await patch({ spec: { replicas: 3 } }, as('olga'));
    expect(warnings).toEqual([expect.stringContaining('puts this back from Git within seconds')]);
  });

  it('is changed by who may break the glass, which is recorded with the reason', async () => {
    await publish();
    const reason = { 'capstan.dev/break-glass-reason': 'the site is down' };
    const { stored } = await patch({ metadata: { annotations: reason }, spec: { replicas: 7 } }, as('olga'));
    expect(breakGlassOf(stored.object)).toMatchObject({ user: 'olga', reason: 'the site is down' });
    const forged = {
      'capstan.dev/break-glass': '{"user":"nobody","at":"2099-01-01T00:00:00Z","reason":"x"}',
    };
    const { stored: after } = await patch({ metadata: { annotations: forged } }, as('ann'));
    expect(breakGlassOf(after.object)?.user).toBe('olga');
  });
});

describe('pods', () => {
  const make = (spec: object, namespace = 'safe') =>
    registry.create(
      pods,
      {
        metadata: { name: 'p', namespace },
        spec: { containers: [{ name: 'a', image: 'i', ...spec }] },
      } as unknown as Draft,
      as('ann'),
    );
  const label = (labels: object) =>
    registry.create(namespaces, { metadata: { name: 'safe', labels } } as Draft, git);

  it('are held to the standard that their namespace enforces', async () => {
    await label({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    await expect(make({})).rejects.toMatchObject({
      message:
        'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    });
    const securityContext = {
      allowPrivilegeEscalation: false,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
      seccompProfile: { type: 'RuntimeDefault' },
    };
    await expect(make({ securityContext })).resolves.toBeDefined();
  });

  it('are warned of, with the workloads that make them, where the namespace says so', async () => {
    await label({ 'pod-security.kubernetes.io/warn': 'baseline' });
    const spec = {
      hostNetwork: true,
      containers: [{ name: 'a', image: 'i', securityContext: { privileged: true } }],
    };
    const template = { metadata: { labels: { a: 'b' } }, spec };
    await registry.create(
      deployments,
      {
        metadata: { name: 'd', namespace: 'safe' },
        spec: { selector: { matchLabels: { a: 'b' } }, template },
      } as unknown as Draft,
      as('ann'),
    );
    expect(warnings).toContain(
      'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true), privileged (container "a" must not set securityContext.privileged=true)',
    );
  });

  it('cannot be held to a standard that there is none of', async () => {
    await expect(label({ 'pod-security.kubernetes.io/enforce': 'strict' })).rejects.toMatchObject({
      code: 'Invalid',
    });
  });
});
