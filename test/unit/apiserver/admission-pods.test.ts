import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tolerationSeconds } from '../../../src/apiserver/admission/pod-defaults.js';
import type { Pod, PodSpec } from '../../../src/resources/generated/types.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { namespaces } from '../../../src/resources/kinds/namespaces.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { serviceaccounts } from '../../../src/resources/kinds/serviceaccounts.js';
import type { Draft } from '../../../src/resources/resource.js';
import { options, setup } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

describe('admission', () => {
  let test: TestRegistry;

  beforeEach(async () => {
    test = await setup();
  });

  afterEach(() => test.close());

  const make = async (spec: Partial<PodSpec> = {}): Promise<Pod> => {
    const draft = {
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ name: 'main', image: 'web:1' }], ...spec },
    } as Draft;
    return (await test.registry.create(pods, draft, options)).object as Pod;
  };

  it('gives a pod its account, priority, phase and quality of service', async () => {
    const pod = await make();
    expect(pod.spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default', priority: 0 });
    expect(pod.status).toMatchObject({ phase: 'Pending', qosClass: 'BestEffort' });
  });

  it('keeps the account that the author of a pod names', async () => {
    const pod = await make({ serviceAccountName: 'builder' });
    expect(pod.spec).toMatchObject({ serviceAccountName: 'builder', serviceAccount: 'builder' });
  });

  it('lets a pod outlive its lost node for a few seconds only', async () => {
    const pod = await make();
    expect(pod.spec.tolerations).toEqual(
      ['not-ready', 'unreachable'].map((taint) => ({
        key: `node.kubernetes.io/${taint}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds,
      })),
    );
  });

  it('adds no toleration where the author has one for the same taint', async () => {
    const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' } as const;
    expect((await make({ tolerations: [own] })).spec.tolerations).toEqual([
      own,
      expect.objectContaining({ key: 'node.kubernetes.io/unreachable' }),
    ]);
    await test.registry.delete(pods, { name: 'p', namespace: 'default' }, {}, options);
    const all = [{ operator: 'Exists' }];
    expect((await make({ tolerations: all })).spec.tolerations).toEqual(all);
  });

  it('makes a namespace active, labelled with its name and held by its content', async () => {
    const { object } = await test.registry.create(namespaces, { metadata: { name: 'shop' } }, options);
    expect(object).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'shop' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  it('keeps the label and the hold of a namespace that is replaced without them', async () => {
    const made = await test.registry.create(namespaces, { metadata: { name: 'shop' } }, options);
    const bare = { metadata: { name: 'shop' }, spec: {} } as Draft;
    const { object } = await test.registry.update(namespaces, { name: 'shop' }, bare, options);
    expect(object.metadata.resourceVersion).toBe(made.object.metadata.resourceVersion);
    await test.registry.delete(namespaces, { name: 'shop' }, {}, options);
    await test.registry.update(namespaces, { name: 'shop' }, bare, options);
    const ending = (await test.registry.get(namespaces, { name: 'shop' })).object;
    expect(ending).toMatchObject({ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Terminating' } });
  });

  it('lets nothing be created where there is no namespace, or none for long', async () => {
    const draft = { metadata: { name: 'a', namespace: 'shop' } };
    await expect(test.registry.create(configmaps, draft, options)).rejects.toMatchObject({
      code: 'NotFound',
      message: 'namespaces "shop" not found',
    });
    await test.registry.create(namespaces, { metadata: { name: 'shop' } }, options);
    await test.registry.create(configmaps, draft, options);
    await test.registry.delete(namespaces, { name: 'shop' }, {}, options);
    const late = { metadata: { name: 'late', namespace: 'shop' } };
    await expect(test.registry.create(configmaps, late, options)).rejects.toMatchObject({
      code: 'Forbidden',
      message:
        'configmaps "late" is forbidden: unable to create new content in namespace shop because it is being terminated',
    });
    const changed = { ...draft, data: { still: 'changes' } } as Draft;
    await expect(test.registry.update(configmaps, draft.metadata, changed, options)).resolves.toBeDefined();
  });

  it('begins a cluster with its namespaces and their default accounts', async () => {
    const made = await test.registry.list(namespaces, {});
    expect(made.items.map(({ object }) => object.metadata.name)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ]);
    const accounts = await test.registry.list(serviceaccounts, {});
    expect(accounts.items.map(({ object }) => object.metadata.namespace)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ]);
  });
});
