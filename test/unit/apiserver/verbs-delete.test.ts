import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterError } from '../../../src/base/errors.js';
import type { DeleteOptions } from '../../../src/client/cluster.js';
import type { Pod } from '../../../src/resources/generated/types.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { deployments } from '../../../src/resources/kinds/deployments.js';
import { namespaces } from '../../../src/resources/kinds/namespaces.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import type { Draft, Resource } from '../../../src/resources/resource.js';
import { options, setup } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const p = { name: 'p', namespace: 'default' };
const a = { name: 'a', namespace: 'default' };

const failure = async (promise: Promise<unknown>): Promise<ClusterError> =>
  (await promise.then(
    () => expect.unreachable('it should have been refused'),
    (error: unknown) => error,
  )) as ClusterError;

describe('delete', () => {
  let test: TestRegistry;

  beforeEach(async () => {
    test = await setup();
  });

  afterEach(() => test.close());

  const makePod = async (terminationGracePeriodSeconds = 30): Promise<Resource> => {
    const draft: Draft<Pod> = {
      metadata: p,
      spec: { terminationGracePeriodSeconds, containers: [{ name: 'main', image: 'web:1' }] },
    };
    return (await test.registry.create(pods, draft, options)).object;
  };

  const deletePod = (deletion: DeleteOptions = {}) => test.registry.delete(pods, p, deletion, options);

  const setPhase = async (phase: string): Promise<void> => {
    const { object } = await test.registry.get(pods, p);
    const status = { ...(object as Pod).status, phase };
    await test.registry.update(pods, p, { ...object, status } as Draft, {
      ...options,
      subresource: 'status',
    });
  };

  it('removes a pod that no node runs at once', async () => {
    await makePod();
    expect((await deletePod()).gone).toBe(true);
    expect((await failure(test.registry.get(pods, p))).code).toBe('NotFound');
  });

  it('gives a running pod its grace period, and the agent ends it', async () => {
    await makePod(45);
    await test.registry.bind(p, undefined, 'n1', options);
    const { stored, gone } = await deletePod();
    expect(gone).toBe(false);
    expect(stored.object.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:45Z',
      deletionGracePeriodSeconds: 45,
    });
    expect((await deletePod({ gracePeriodSeconds: 0 })).gone).toBe(true);
  });

  it('removes a finished pod at once, wherever it ran', async () => {
    await makePod();
    await test.registry.bind(p, undefined, 'n1', options);
    await setPhase('Succeeded');
    expect((await deletePod()).gone).toBe(true);
  });

  it('lets a grace period become shorter, never longer', async () => {
    await makePod(60);
    await test.registry.bind(p, undefined, 'n1', options);
    await deletePod();
    const before = test.store.revision;
    const longer = await deletePod({ gracePeriodSeconds: 90 });
    expect(longer.stored.object.metadata.deletionGracePeriodSeconds).toBe(60);
    await deletePod();
    expect(test.store.revision).toBe(before);
    await test.clock.advance(10_000);
    const shorter = await deletePod({ gracePeriodSeconds: 5 });
    expect(shorter.stored.object.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:05Z',
      deletionGracePeriodSeconds: 5,
    });
  });

  it('keeps a pod that its agent has ended until the finalizers are gone too', async () => {
    await makePod();
    const { object } = await test.registry.get(pods, p);
    const metadata = { ...object.metadata, finalizers: ['example.com/hold'] };
    await test.registry.update(pods, p, { ...object, metadata }, options);
    await test.registry.bind(p, undefined, 'n1', options);
    await deletePod();
    expect((await deletePod({ gracePeriodSeconds: 0 })).gone).toBe(false);
    await test.registry.patch(pods, p, { type: 'merge', patch: { metadata: { finalizers: null } } }, options);
    expect((await failure(test.registry.get(pods, p))).code).toBe('NotFound');
  });

  it('does not let the finalizers of a pod end its grace period', async () => {
    await makePod();
    const { object } = await test.registry.get(pods, p);
    const metadata = { ...object.metadata, finalizers: ['example.com/hold'] };
    await test.registry.update(pods, p, { ...object, metadata }, options);
    await test.registry.bind(p, undefined, 'n1', options);
    await deletePod();
    await test.registry.patch(pods, p, { type: 'merge', patch: { metadata: { finalizers: null } } }, options);
    expect((await test.registry.get(pods, p)).object.metadata.deletionGracePeriodSeconds).toBe(30);
  });

  it.each([
    ['Foreground', ['foregroundDeletion']],
    ['Orphan', ['orphan']],
  ] as const)('holds an object for the garbage collector under %s', async (propagationPolicy, finalizers) => {
    await test.registry.create(configmaps, { metadata: a }, options);
    const { stored, gone } = await test.registry.delete(configmaps, a, { propagationPolicy }, options);
    expect(gone).toBe(false);
    expect(stored.object.metadata.finalizers).toEqual(finalizers);
    expect(stored.object.metadata.deletionTimestamp).toBeDefined();
    const now = { propagationPolicy: 'Background' } as const;
    expect((await test.registry.delete(configmaps, a, now, options)).gone).toBe(true);
  });

  it('counts a generation when the deletion begins, so that controllers see it', async () => {
    const spec = {
      selector: { matchLabels: { app: 'a' } },
      template: {
        metadata: { labels: { app: 'a' } },
        spec: { containers: [{ name: 'main', image: 'web:1' }] },
      },
    };
    await test.registry.create(deployments, { metadata: a, spec } as Draft, options);
    const held = { propagationPolicy: 'Foreground' } as const;
    const { stored } = await test.registry.delete(deployments, a, held, options);
    expect(stored.object.metadata.generation).toBe(2);
  });

  it('deletes only the life and the revision that the preconditions name', async () => {
    const made = (await test.registry.create(configmaps, { metadata: a }, options)).object.metadata;
    const wrong = await failure(
      test.registry.delete(configmaps, a, { preconditions: { resourceVersion: '1' } }, options),
    );
    expect(wrong.code).toBe('Conflict');
    expect(wrong.message).toBe(
      `Operation cannot be fulfilled on configmaps "a": Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: ${made.resourceVersion}`,
    );
    const { uid, resourceVersion } = made;
    const right = { preconditions: { uid, resourceVersion } };
    expect((await test.registry.delete(configmaps, a, right, options)).gone).toBe(true);
  });

  it('deletes nothing in a dry run', async () => {
    await test.registry.create(configmaps, { metadata: a }, options);
    expect((await test.registry.delete(configmaps, a, {}, { ...options, dryRun: true })).gone).toBe(true);
    await expect(test.registry.get(configmaps, a)).resolves.toBeDefined();
  });

  it('keeps the namespaces that the cluster cannot do without', async () => {
    for (const name of ['default', 'kube-system', 'kube-public']) {
      const error = await failure(test.registry.delete(namespaces, { name }, {}, options));
      expect(error.message).toBe(`namespaces "${name}" is forbidden: this namespace may not be deleted`);
    }
  });

  it('deletes a collection by selector, and only that', async () => {
    for (const name of ['x1', 'x2', 'y1'])
      await test.registry.create(
        configmaps,
        { metadata: { name, namespace: 'default', labels: { set: name.slice(0, 1) } } },
        options,
      );
    const query = { namespace: 'default', labelSelector: 'set=x' };
    const deleted = await test.registry.deleteCollection(configmaps, query, {}, options);
    expect(deleted.items.map(({ object }) => object.metadata.name)).toEqual(['x1', 'x2']);
    const { items } = await test.registry.list(configmaps, { namespace: 'default' });
    expect(items.map(({ object }) => object.metadata.name)).toEqual(['y1']);
  });

  it('ends well when many delete the same object', async () => {
    await test.registry.create(configmaps, { metadata: a }, options);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () => test.registry.delete(configmaps, a, {}, options)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'NotFound' });
  });
});

describe('bind', () => {
  let test: TestRegistry;

  beforeEach(async () => {
    test = await setup();
    const spec = { containers: [{ name: 'main', image: 'web:1' }] };
    await test.registry.create(pods, { metadata: p, spec } as Draft, options);
  });

  afterEach(() => test.close());

  it('sets the node and says that the pod is scheduled', async () => {
    await test.registry.bind(p, undefined, 'n1', options);
    const pod = (await test.registry.get(pods, p)).object as Pod;
    expect(pod.spec.nodeName).toBe('n1');
    expect(pod.status?.conditions).toMatchObject([
      { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ]);
  });

  it('gives a pod to one of many nodes', async () => {
    const outcomes = await Promise.allSettled(
      ['n1', 'n2', 'n3'].map((node) => test.registry.bind(p, undefined, node, options)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const error = await failure(test.registry.bind(p, undefined, 'n9', options));
    expect(error.code).toBe('Conflict');
    expect(error.message).toMatch(/pod p is already assigned to node "n\d"$/);
  });

  it('refuses another life of the pod, a pod that is being deleted, and no node at all', async () => {
    expect((await failure(test.registry.bind(p, 'other', 'n1', options))).code).toBe('Conflict');
    expect((await failure(test.registry.bind(p, undefined, '', options))).code).toBe('BadRequest');
    const { object } = await test.registry.get(pods, p);
    const metadata = { ...object.metadata, finalizers: ['example.com/hold'] };
    await test.registry.update(pods, p, { ...object, metadata }, options);
    await test.registry.delete(pods, p, {}, options);
    expect((await failure(test.registry.bind(p, undefined, 'n1', options))).message).toContain(
      'pod p is being deleted, cannot be assigned to a host',
    );
  });
});
