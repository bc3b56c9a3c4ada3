import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterError } from '../../../src/base/errors.js';
import type { Patch } from '../../../src/client/cluster.js';
import type { ConfigMap, Deployment, Pod } from '../../../src/resources/generated/types.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { deployments } from '../../../src/resources/kinds/deployments.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import type { Draft } from '../../../src/resources/resource.js';
import { options, setup } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const a = { name: 'a', namespace: 'default' };
const web = { name: 'web', namespace: 'default' };

const failure = async (promise: Promise<unknown>): Promise<ClusterError> =>
  (await promise.then(
    () => expect.unreachable('it should have been refused'),
    (error: unknown) => error,
  )) as ClusterError;

const draft = (spec: Record<string, unknown> = {}, container: Record<string, unknown> = {}): Draft =>
  ({
    metadata: web,
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'main', image: 'web:1', ...container }] },
      },
      ...spec,
    },
  }) as Draft;

describe('patch', () => {
  let test: TestRegistry;

  beforeEach(async () => {
    test = await setup();
    await test.registry.create(configmaps, { metadata: a, data: { n: '0' } } as Draft, options);
  });

  afterEach(() => test.close());

  const patch = async (change: Patch, dryRun = false): Promise<ConfigMap> =>
    (await test.registry.patch(configmaps, a, change, { ...options, dryRun })).stored.object;

  it('writes nothing when the patch changes nothing', async () => {
    const before = test.store.revision;
    await patch({ type: 'merge', patch: { data: { n: '0' } } });
    expect(test.store.revision).toBe(before);
  });

  it('is not lost among many others at the same time', async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        patch({ type: 'merge', patch: { data: { [`k${String(index)}`]: 'v' } } }),
      ),
    );
    const { data } = (await test.registry.get(configmaps, a)).object as ConfigMap;
    expect(Object.keys(data!)).toHaveLength(31);
  });

  it('applies only to the revision that it names, if it names one', async () => {
    const stale = { metadata: { resourceVersion: '1' }, data: { n: '9' } };
    expect((await failure(patch({ type: 'merge', patch: stale }))).code).toBe('Conflict');
    const { resourceVersion } = (await test.registry.get(configmaps, a)).object.metadata;
    await patch({ type: 'merge', patch: { metadata: { resourceVersion }, data: { n: '9' } } });
  });

  it('changes neither name nor namespace, and leaves an object', async () => {
    for (const metadata of [{ name: 'b' }, { namespace: 'kube-system' }])
      expect((await failure(patch({ type: 'merge', patch: { metadata } }))).code).toBe('BadRequest');
    const none = { op: 'remove', path: '/metadata' };
    expect((await failure(patch({ type: 'json', operations: [none] }))).code).toBe('BadRequest');
  });

  it('leaves the object alone when one operation of several fails', async () => {
    const operations = [
      { op: 'replace', path: '/data/n', value: '1' },
      { op: 'test', path: '/data/n', value: 'something else' },
    ];
    expect((await failure(patch({ type: 'json', operations }))).code).toBe('Invalid');
    expect(((await test.registry.get(configmaps, a)).object as ConfigMap).data).toEqual({ n: '0' });
  });

  it('is validated like an update', async () => {
    const labels = { 'not a label': 'x' };
    const error = await failure(patch({ type: 'merge', patch: { metadata: { labels } } }));
    expect(error.message).toContain(
      'ConfigMap "a" is invalid: metadata.labels: Invalid value: "not a label"',
    );
  });

  it('shows in a dry run what it would write', async () => {
    const before = test.store.revision;
    expect((await patch({ type: 'merge', patch: { data: { n: '5' } } }, true)).data).toEqual({ n: '5' });
    expect(test.store.revision).toBe(before);
  });

  it('changes only the status through status', async () => {
    await test.registry.create(deployments, draft(), options);
    const change = { type: 'merge', patch: { spec: { replicas: 7 }, status: { replicas: 2 } } } as const;
    const { stored } = await test.registry.patch(deployments, web, change, {
      ...options,
      subresource: 'status',
    });
    const { spec, status } = stored.object as Deployment;
    expect([spec.replicas, status?.replicas]).toEqual([1, 2]);
  });

  it('records owners of what people write, and none for what programs write all the time', async () => {
    const { object } = await test.registry.get(configmaps, a);
    expect(object.metadata.managedFields).toMatchObject([{ manager: 'test', operation: 'Update' }]);
    const spec = { containers: [{ name: 'main', image: 'web:1' }] };
    const pod = await test.registry.create(pods, { metadata: { ...a, name: 'p' }, spec } as Draft, options);
    expect(pod.object.metadata.managedFields).toBeUndefined();
  });
});

describe('apply', () => {
  let test: TestRegistry;

  beforeEach(async () => {
    test = await setup();
  });

  afterEach(() => test.close());

  const apply = (object: unknown, { manager = 'capstan', force = false, dryRun = false } = {}) =>
    test.registry.patch(
      deployments,
      web,
      { type: 'apply', object, force },
      { ...options, fieldManager: manager, dryRun },
    );

  it('creates once, whoever else applies at the same time', async () => {
    const outcomes = await Promise.all(['one', 'two', 'three'].map((manager) => apply(draft(), { manager })));
    expect(outcomes.filter(({ created }) => created)).toHaveLength(1);
    const { object } = await test.registry.get(deployments, web);
    expect(object.metadata.managedFields?.map(({ manager }) => manager).sort()).toEqual([
      'one',
      'three',
      'two',
    ]);
  });

  it('writes nothing when it is repeated', async () => {
    await apply(draft());
    const before = test.store.revision;
    await test.clock.advance(5_000);
    expect((await apply(draft())).created).toBe(false);
    expect(test.store.revision).toBe(before);
  });

  it('takes two ways of writing one quantity for the same', async () => {
    await apply(draft({}, { resources: { requests: { cpu: '0.5', memory: '1024Mi' } } }));
    const before = test.store.revision;
    const same = draft({}, { resources: { requests: { cpu: '500m', memory: '1Gi' } } });
    await apply(same);
    await apply(same, { manager: 'other' });
    await apply(draft({}, { resources: { requests: { cpu: 0.5, memory: '1Gi' } } }));
    expect(test.store.revision).toBe(before + 1);
  });

  it('meets a conflict that names the field and its owner, and takes it over by force', async () => {
    await apply(draft({ replicas: 2 }));
    const error = await failure(apply(draft({ replicas: 3 }), { manager: 'scaler' }));
    expect(error.code).toBe('Conflict');
    expect(error.fields).toEqual([
      expect.objectContaining({ type: 'FieldManagerConflict', field: '.spec.replicas' }),
    ]);
    const { stored } = await apply(draft({ replicas: 3 }), { manager: 'scaler', force: true });
    expect((stored.object as Deployment).spec.replicas).toBe(3);
  });

  it('takes back what a manager no longer says', async () => {
    await apply({ ...draft(), metadata: { ...web, labels: { a: '1', b: '2' } } });
    const { stored } = await apply({ ...draft(), metadata: { ...web, labels: { a: '1' } } });
    expect(stored.object.metadata.labels).toEqual({ a: '1' });
  });

  it('leaves the status to its own way in', async () => {
    await apply({ ...draft(), status: { replicas: 9 } });
    const { stored } = await apply({ ...draft(), status: { replicas: 9 } });
    expect((stored.object as Deployment).status?.replicas).toBeUndefined();
    const owned = JSON.stringify(stored.object.metadata.managedFields);
    expect(owned).not.toContain('f:status');
  });

  it('works on objects that nobody was recorded for', async () => {
    const p = { name: 'p', namespace: 'default' };
    const spec = { containers: [{ name: 'main', image: 'web:1' }] };
    await test.registry.create(pods, { metadata: p, spec } as Draft, options);
    const object = { metadata: { ...p, labels: { a: 'b' } } };
    const { stored } = await test.registry.patch(pods, p, { type: 'apply', object, force: false }, options);
    expect((stored.object as Pod).spec.containers).toHaveLength(1);
    expect(stored.object.metadata).toMatchObject({ labels: { a: 'b' } });
  });

  it('refuses what is no object, what has the wrong type, and what names no manager', async () => {
    expect((await failure(apply('text'))).code).toBe('BadRequest');
    const wrong = await failure(apply(draft({ replicas: 'many' })));
    expect(wrong.message).toContain('Deployment.apps "web" is invalid: spec.replicas: Invalid value: "many"');
    expect((await failure(apply(draft({ template: 'x' })))).code).toBe('Invalid');
    expect((await failure(apply(draft(), { manager: '' }))).code).toBe('BadRequest');
  });

  it('writes nothing in a dry run', async () => {
    const before = test.store.revision;
    const { stored, created } = await apply(draft(), { dryRun: true });
    expect(created).toBe(true);
    expect((stored.object as Deployment).spec.replicas).toBe(1);
    expect(test.store.revision).toBe(before);
  });
});
