// What every Cluster must do, in-process or remote. The suite sees nothing but the contract.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClusterError } from '../../src/base/errors.js';
import type { ErrorCode } from '../../src/base/errors.js';
import type { Cluster, WatchEvent } from '../../src/client/cluster.js';
import type { ConfigMap, Deployment, Namespace, Pod } from '../../src/resources/generated/types.js';
import { configmaps } from '../../src/resources/kinds/configmaps.js';
import { deployments } from '../../src/resources/kinds/deployments.js';
import { namespaces } from '../../src/resources/kinds/namespaces.js';
import { pods } from '../../src/resources/kinds/pods.js';
import type { Draft, Resource } from '../../src/resources/resource.js';

export interface ClusterUnderTest {
  /** Has the namespace `default`, and may do everything. */
  readonly cluster: Cluster;
  close(): Promise<void>;
}

const namespace = 'default';

const configMap = (
  name: string,
  data: Record<string, string> = {},
  labels?: Record<string, string>,
): Draft<ConfigMap> => ({
  metadata: { name, namespace, ...(labels === undefined ? {} : { labels }) },
  data,
});

const pod = (name: string): Draft<Pod> => ({
  metadata: { name, namespace },
  spec: { containers: [{ name: 'main', image: 'web:1' }] },
});

const deployment = (name: string, replicas = 1): Draft<Deployment> => ({
  metadata: { name, namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'web:1' }] },
    },
  },
});

const rejection = async (promise: Promise<unknown>): Promise<ClusterError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ClusterError);
  return error as ClusterError;
};

const codeOf = async (promise: Promise<unknown>): Promise<ErrorCode> => (await rejection(promise)).code;

const take = async <T extends Resource>(
  events: AsyncIterable<WatchEvent<T>>,
  count: number,
): Promise<readonly Exclude<WatchEvent<T>, { type: 'BOOKMARK' }>[]> => {
  const taken: Exclude<WatchEvent<T>, { type: 'BOOKMARK' }>[] = [];
  for await (const event of events) {
    if (event.type === 'BOOKMARK') continue;
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
};

const told = <T extends Resource>(
  events: readonly Exclude<WatchEvent<T>, { type: 'BOOKMARK' }>[],
): string[] => events.map(({ type, object }) => `${type} ${object.metadata.name}`);

export const describeCluster = (name: string, make: () => Promise<ClusterUnderTest>): void => {
  describe(`${name} as a Cluster`, () => {
    let under: ClusterUnderTest;
    let cluster: Cluster;
    let watching: AbortController;

    beforeEach(async () => {
      under = await make();
      cluster = under.cluster;
      watching = new AbortController();
    });

    afterEach(async () => {
      watching.abort();
      await under.close();
    });

    it('gives a created object its uid, revision and creation time, and gets it back', async () => {
      const created = await cluster.create(configmaps, configMap('a', { key: 'value' }));
      expect(created).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { key: 'value' } });
      expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(Number(created.metadata.resourceVersion)).toBeGreaterThan(0);
      expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(await cluster.get(configmaps, { name: 'a', namespace })).toEqual(created);
    });

    it('generates names that do not collide', async () => {
      const draft: Draft<ConfigMap> = { metadata: { generateName: 'job-', namespace } };
      const made = await Promise.all(Array.from({ length: 5 }, () => cluster.create(configmaps, draft)));
      const names = made.map(({ metadata }) => metadata.name);
      expect(new Set(names).size).toBe(5);
      for (const generated of names) expect(generated).toMatch(/^job-[a-z0-9]{5}$/);
    });

    it('refuses what exists, what is missing and what is malformed, each with its own code', async () => {
      await cluster.create(configmaps, configMap('a'));
      expect(await codeOf(cluster.create(configmaps, configMap('a')))).toBe('AlreadyExists');
      expect(await codeOf(cluster.get(configmaps, { name: 'b', namespace }))).toBe('NotFound');
      expect(await codeOf(cluster.delete(configmaps, { name: 'b', namespace }))).toBe('NotFound');
      const nowhere = { ...configMap('a'), metadata: { name: 'a', namespace: 'nowhere' } };
      expect(await codeOf(cluster.create(configmaps, nowhere))).toBe('NotFound');
    });

    it('names the field of what is invalid', async () => {
      const draft = deployment('web');
      const spec = { ...draft.spec, selector: undefined } as unknown as Deployment['spec'];
      const error = await rejection(cluster.create(deployments, { ...draft, spec }));
      expect(error.code).toBe('Invalid');
      expect(error.message).toBe('Deployment.apps "web" is invalid: spec.selector: Required value');
      expect(error.fields).toEqual([
        { type: 'FieldValueRequired', field: 'spec.selector', message: 'Required value' },
      ]);
    });

    it('writes nothing in a dry run', async () => {
      const shown = await cluster.create(configmaps, configMap('a', { k: 'v' }), { dryRun: true });
      expect(shown.data).toEqual({ k: 'v' });
      expect(await codeOf(cluster.get(configmaps, { name: 'a', namespace }))).toBe('NotFound');
    });

    it('replaces an object only when it is still at the revision that was read', async () => {
      const first = await cluster.create(configmaps, configMap('a', { n: '1' }));
      const second = await cluster.update(configmaps, { ...first, data: { n: '2' } });
      expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
      const error = await rejection(cluster.update(configmaps, { ...first, data: { n: '3' } }));
      expect(error.code).toBe('Conflict');
      expect(error.message).toBe(
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      );
      const found = await cluster.get(configmaps, { name: 'a', namespace });
      expect(found.data).toEqual({ n: '2' });
    });

    it('keeps the revision when an update changes nothing', async () => {
      const created = await cluster.create(configmaps, configMap('a', { n: '1' }));
      const same = await cluster.update(configmaps, { ...created, data: { n: '1' } });
      expect(same.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
    });

    it('keeps spec and status apart, and counts generations of the spec', async () => {
      const created = await cluster.create(deployments, deployment('web'));
      expect(created.metadata.generation).toBe(1);
      const reported = await cluster.updateStatus(deployments, {
        ...created,
        spec: { ...created.spec, replicas: 9 },
        status: { replicas: 1, observedGeneration: 1 },
      });
      expect(reported.spec.replicas).toBe(1);
      expect(reported.status).toMatchObject({ replicas: 1, observedGeneration: 1 });
      expect(reported.metadata.generation).toBe(1);
      const updated = await cluster.update(deployments, {
        ...reported,
        spec: { ...reported.spec, replicas: 3 },
        status: { replicas: 77 },
      });
      expect(updated.spec.replicas).toBe(3);
      expect(updated.status?.replicas).toBe(1);
      expect(updated.metadata.generation).toBe(2);
    });

    it('patches with JSON patch, merge patch and strategic merge patch', async () => {
      await cluster.create(deployments, deployment('web'));
      const target = { name: 'web', namespace };
      const replaced = await cluster.patch(deployments, target, {
        type: 'json',
        operations: [{ op: 'replace', path: '/spec/replicas', value: 2 }],
      });
      expect(replaced.spec.replicas).toBe(2);
      const labelled = await cluster.patch(deployments, target, {
        type: 'merge',
        patch: { metadata: { labels: { tier: 'front' } } },
      });
      expect(labelled.metadata.labels).toEqual({ tier: 'front' });
      const extended = await cluster.patch(deployments, target, {
        type: 'strategic',
        patch: { spec: { template: { spec: { containers: [{ name: 'side', image: 'side:1' }] } } } },
      });
      const names = extended.spec.template.spec?.containers.map((container) => container.name) ?? [];
      expect([...names].sort()).toEqual(['main', 'side']);
    });

    it('scales through the scale subresource', async () => {
      await cluster.create(deployments, deployment('web'));
      const target = { name: 'web', namespace };
      await cluster.patch(
        deployments,
        target,
        { type: 'merge', patch: { spec: { replicas: 4 } } },
        { subresource: 'scale' },
      );
      expect((await cluster.get(deployments, target)).spec.replicas).toBe(4);
    });

    it('applies: creates, then changes only what the manager says, and protects what others own', async () => {
      const applied = await cluster.apply(configmaps, configMap('a', { mine: '1' }), { fieldManager: 'one' });
      expect(applied.data).toEqual({ mine: '1' });
      await cluster.apply(configmaps, configMap('a', { yours: '1' }), { fieldManager: 'two' });
      const both = await cluster.apply(configmaps, configMap('a', { mine: '2' }), { fieldManager: 'one' });
      expect(both.data).toEqual({ mine: '2', yours: '1' });
      const stolen = configMap('a', { yours: '2' });
      expect(await codeOf(cluster.apply(configmaps, stolen, { fieldManager: 'one' }))).toBe('Conflict');
      const forced = await cluster.apply(configmaps, stolen, { fieldManager: 'one', force: true });
      expect(forced.data).toEqual({ yours: '2' });
    });

    it('lists by labels, fields and namespace, in pages of one revision', async () => {
      for (let index = 0; index < 7; index += 1)
        await cluster.create(configmaps, configMap(`c${String(index)}`, {}, { odd: String(index % 2) }));
      const odd = await cluster.list(configmaps, { namespace, labelSelector: 'odd=1' });
      expect(odd.items.map(({ metadata }) => metadata.name)).toEqual(['c1', 'c3', 'c5']);
      const one = await cluster.list(configmaps, { fieldSelector: 'metadata.name=c4' });
      expect(one.items.map(({ metadata }) => metadata.name)).toEqual(['c4']);
      const first = await cluster.list(configmaps, { namespace, limit: 4 });
      expect(first.items).toHaveLength(4);
      expect(first.remainingItemCount).toBe(3);
      await cluster.create(configmaps, configMap('c9'));
      await cluster.delete(configmaps, { name: 'c6', namespace });
      const rest = await cluster.list(configmaps, { namespace, limit: 4, continue: first.continue });
      expect(rest.items.map(({ metadata }) => metadata.name)).toEqual(['c4', 'c5', 'c6']);
      expect(rest.resourceVersion).toBe(first.resourceVersion);
      expect(rest.continue).toBeUndefined();
    });

    it('refuses selectors that cannot be read or name a field that is not selectable', async () => {
      expect(await codeOf(cluster.list(configmaps, { labelSelector: 'a in (' }))).toBe('BadRequest');
      expect(await codeOf(cluster.list(configmaps, { fieldSelector: 'data.key=x' }))).toBe('BadRequest');
    });

    it('watches from the revision of a list: nothing missed, nothing twice', async () => {
      await cluster.create(configmaps, configMap('before'));
      const { resourceVersion } = await cluster.list(configmaps);
      const made = await cluster.create(configmaps, configMap('a', { n: '1' }));
      await cluster.update(configmaps, { ...made, data: { n: '2' } });
      const events = cluster.watch(configmaps, { namespace, resourceVersion }, watching.signal);
      const seen = take(events, 3);
      await cluster.delete(configmaps, { name: 'a', namespace });
      expect(told(await seen)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
      const [added, changed, deleted] = await seen;
      expect(added!.object.data).toEqual({ n: '1' });
      expect(deleted!.object.data).toEqual({ n: '2' });
      expect(Number(deleted!.object.metadata.resourceVersion)).toBeGreaterThan(
        Number(changed!.object.metadata.resourceVersion),
      );
    });

    it('tells a watch with a selector when objects enter and leave it', async () => {
      const { resourceVersion } = await cluster.list(configmaps);
      const events = cluster.watch(
        configmaps,
        { namespace, labelSelector: 'app=web', resourceVersion },
        watching.signal,
      );
      const seen = take(events, 3);
      const made = await cluster.create(configmaps, configMap('a'));
      const entered = await cluster.update(configmaps, {
        ...made,
        metadata: { ...made.metadata, labels: { app: 'web' } },
      });
      const changed = await cluster.update(configmaps, { ...entered, data: { k: 'v' } });
      await cluster.update(configmaps, { ...changed, metadata: { ...changed.metadata, labels: {} } });
      expect(told(await seen)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    });

    it('ends a watch when its signal aborts', async () => {
      const { resourceVersion } = await cluster.list(configmaps);
      const seen: string[] = [];
      const reading = (async () => {
        for await (const { type } of cluster.watch(configmaps, { resourceVersion }, watching.signal))
          seen.push(type);
      })();
      await cluster.create(configmaps, configMap('a'));
      await expect.poll(() => seen).toEqual(['ADDED']);
      watching.abort();
      await reading;
      await cluster.create(configmaps, configMap('b'));
      expect(seen).toEqual(['ADDED']);
    });

    it('deletes only what the preconditions name', async () => {
      const made = await cluster.create(configmaps, configMap('a'));
      const target = { name: 'a', namespace };
      const other = { preconditions: { uid: '00000000-0000-4000-8000-000000000000' } };
      expect(await codeOf(cluster.delete(configmaps, target, other))).toBe('Conflict');
      const stale = { preconditions: { resourceVersion: '1' } };
      expect(await codeOf(cluster.delete(configmaps, target, stale))).toBe('Conflict');
      await cluster.delete(configmaps, target, { preconditions: { uid: made.metadata.uid } });
      expect(await codeOf(cluster.get(configmaps, target))).toBe('NotFound');
    });

    it('keeps a deleted object until its last finalizer is gone', async () => {
      const draft = configMap('a');
      const finalizers = ['example.com/hold'];
      await cluster.create(configmaps, { ...draft, metadata: { ...draft.metadata, finalizers } });
      const target = { name: 'a', namespace };
      await cluster.delete(configmaps, target);
      const held = await cluster.get(configmaps, target);
      expect(held.metadata.deletionTimestamp).toBeDefined();
      await cluster.patch(configmaps, target, { type: 'merge', patch: { metadata: { finalizers: null } } });
      expect(await codeOf(cluster.get(configmaps, target))).toBe('NotFound');
    });

    it('binds a pod once, and lets a bound pod end in its grace period', async () => {
      const { metadata } = await cluster.create(pods, pod('p'));
      const target = { name: 'p', namespace, uid: metadata.uid };
      await cluster.bind(target, 'node-1');
      const bound = await cluster.get(pods, target);
      expect(bound.spec.nodeName).toBe('node-1');
      expect(bound.status?.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
      expect(await codeOf(cluster.bind(target, 'node-2'))).toBe('Conflict');
      await cluster.evict(target);
      const ending = await cluster.get(pods, target);
      expect(ending.metadata.deletionGracePeriodSeconds).toBe(30);
      await cluster.delete(pods, target, { gracePeriodSeconds: 0 });
      expect(await codeOf(cluster.get(pods, target))).toBe('NotFound');
    });

    it('empties no namespace at once: it terminates, and takes nothing new', async () => {
      const draft: Draft<Namespace> = { metadata: { name: 'shop' } };
      const made = await cluster.create(namespaces, draft);
      expect(made.status?.phase).toBe('Active');
      await cluster.delete(namespaces, { name: 'shop' });
      const ending = await cluster.get(namespaces, { name: 'shop' });
      expect(ending.status?.phase).toBe('Terminating');
      const late = { metadata: { name: 'late', namespace: 'shop' } };
      expect(await codeOf(cluster.create(configmaps, late))).toBe('Forbidden');
      expect(await codeOf(cluster.delete(namespaces, { name: 'default' }))).toBe('Forbidden');
    });
  });
};
